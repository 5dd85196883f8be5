-- +goose Up
-- Where somebody was is kept only as a distance and a verdict; a job empties
-- the four coordinates once coordinates_until has passed.
CREATE TABLE attendance (
  id TEXT NOT NULL PRIMARY KEY,
  signup_id TEXT NOT NULL REFERENCES signup (id),
  status TEXT NOT NULL,
  check_in_at BIGINT NOT NULL,
  check_in_verdict TEXT NOT NULL,
  check_in_distance_meters BIGINT NULL,
  check_in_by TEXT NOT NULL,
  check_in_lon DOUBLE NULL,
  check_in_lat DOUBLE NULL,
  check_out_at BIGINT NULL,
  check_out_verdict TEXT NULL,
  check_out_distance_meters BIGINT NULL,
  check_out_by TEXT NULL,
  check_out_lon DOUBLE NULL,
  check_out_lat DOUBLE NULL,
  coordinates_until BIGINT NULL,
  served_minutes BIGINT NULL,
  minutes BIGINT NULL,
  credit TEXT NULL,
  quality_rating BIGINT NULL,
  confirmed_by TEXT NULL,
  confirmed_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CHECK (status IN ('checked_in', 'checked_out', 'confirmed', 'rejected')),
  CHECK (check_in_verdict IN ('inside', 'tolerated', 'by_hand') AND (check_out_verdict IS NULL OR check_out_verdict IN ('inside', 'tolerated', 'by_hand'))),
  CHECK ((check_out_at IS NULL) = (check_out_verdict IS NULL) AND (check_out_at IS NULL OR check_out_at >= check_in_at) AND (status NOT IN ('checked_out', 'confirmed') OR check_out_at IS NOT NULL)),
  CHECK (coordinates_until IS NOT NULL OR (check_in_lon IS NULL AND check_in_lat IS NULL AND check_out_lon IS NULL AND check_out_lat IS NULL)),
  CHECK ((credit IS NULL OR credit IN ('credited', 'too_short')) AND (status = 'confirmed') = (credit IS NOT NULL)),
  CHECK (status <> 'confirmed' OR (minutes IS NOT NULL AND served_minutes IS NOT NULL AND minutes >= 0 AND minutes <= served_minutes AND (credit = 'credited') = (minutes > 0))),
  CHECK (quality_rating IS NULL OR quality_rating BETWEEN 1 AND 5),
  CHECK ((status IN ('confirmed', 'rejected')) = (confirmed_at IS NOT NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX attendance_signup_id_key ON attendance (signup_id);
CREATE INDEX attendance_coordinates_until_idx ON attendance (coordinates_until);
CREATE INDEX attendance_status_idx ON attendance (status, credit);
-- +goose StatementEnd

-- +goose Down
DROP TABLE attendance;
