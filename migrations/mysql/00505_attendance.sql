-- +goose Up
-- Where somebody was is kept only as a distance and a verdict; a job empties
-- the four coordinates once coordinates_until has passed.
CREATE TABLE attendance (
  id CHAR(26) NOT NULL PRIMARY KEY,
  signup_id CHAR(26) NOT NULL,
  status VARCHAR(16) NOT NULL,
  check_in_at BIGINT NOT NULL,
  check_in_verdict VARCHAR(16) NOT NULL,
  check_in_distance_meters BIGINT NULL,
  check_in_by VARCHAR(64) NOT NULL,
  check_in_lon DOUBLE NULL,
  check_in_lat DOUBLE NULL,
  check_out_at BIGINT NULL,
  check_out_verdict VARCHAR(16) NULL,
  check_out_distance_meters BIGINT NULL,
  check_out_by VARCHAR(64) NULL,
  check_out_lon DOUBLE NULL,
  check_out_lat DOUBLE NULL,
  coordinates_until BIGINT NULL,
  served_minutes BIGINT NULL,
  minutes BIGINT NULL,
  credit VARCHAR(16) NULL,
  quality_rating BIGINT NULL,
  confirmed_by VARCHAR(64) NULL,
  confirmed_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY attendance_signup_id_key (signup_id),
  KEY attendance_coordinates_until_idx (coordinates_until),
  KEY attendance_status_idx (status, credit),
  CONSTRAINT attendance_signup_id_fk FOREIGN KEY (signup_id) REFERENCES signup (id),
  CONSTRAINT attendance_status_check CHECK (status IN ('checked_in', 'checked_out', 'confirmed', 'rejected')),
  CONSTRAINT attendance_verdict_check CHECK (check_in_verdict IN ('inside', 'tolerated', 'by_hand') AND (check_out_verdict IS NULL OR check_out_verdict IN ('inside', 'tolerated', 'by_hand'))),
  CONSTRAINT attendance_check_out_check CHECK ((check_out_at IS NULL) = (check_out_verdict IS NULL) AND (check_out_at IS NULL OR check_out_at >= check_in_at) AND (status NOT IN ('checked_out', 'confirmed') OR check_out_at IS NOT NULL)),
  CONSTRAINT attendance_coordinates_check CHECK (coordinates_until IS NOT NULL OR (check_in_lon IS NULL AND check_in_lat IS NULL AND check_out_lon IS NULL AND check_out_lat IS NULL)),
  CONSTRAINT attendance_credit_check CHECK ((credit IS NULL OR credit IN ('credited', 'too_short')) AND (status = 'confirmed') = (credit IS NOT NULL)),
  CONSTRAINT attendance_minutes_check CHECK (status <> 'confirmed' OR (minutes IS NOT NULL AND served_minutes IS NOT NULL AND minutes >= 0 AND minutes <= served_minutes AND (credit = 'credited') = (minutes > 0))),
  CONSTRAINT attendance_quality_rating_check CHECK (quality_rating IS NULL OR quality_rating BETWEEN 1 AND 5),
  CONSTRAINT attendance_confirmed_check CHECK ((status IN ('confirmed', 'rejected')) = (confirmed_at IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE attendance;
