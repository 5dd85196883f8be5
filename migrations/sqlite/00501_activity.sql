-- +goose Up
CREATE TABLE activity (
  id TEXT NOT NULL PRIMARY KEY,
  region_id TEXT NOT NULL REFERENCES region (id),
  organizer_staff_id TEXT NOT NULL REFERENCES staff (id),
  title TEXT NOT NULL,
  content TEXT NOT NULL,
  category TEXT NOT NULL,
  beneficiary TEXT NOT NULL,
  place_name TEXT NOT NULL,
  lon DOUBLE NOT NULL,
  lat DOUBLE NOT NULL,
  radius_meters BIGINT NOT NULL,
  contact_name TEXT NOT NULL,
  contact_phone TEXT NOT NULL,
  status TEXT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  published_at BIGINT NULL,
  CHECK (status IN ('draft', 'published', 'cancelled', 'finished')),
  CHECK (lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90 AND radius_meters > 0),
  CHECK (status NOT IN ('published', 'finished') OR published_at IS NOT NULL)
);
-- +goose StatementBegin
CREATE INDEX activity_region_id_idx ON activity (region_id, status, id);
CREATE INDEX activity_status_idx ON activity (status, id);
CREATE INDEX activity_organizer_staff_id_idx ON activity (organizer_staff_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE activity;
