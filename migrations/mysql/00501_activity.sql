-- +goose Up
CREATE TABLE activity (
  id CHAR(26) NOT NULL PRIMARY KEY,
  region_id CHAR(26) NOT NULL,
  organizer_staff_id CHAR(26) NOT NULL,
  title VARCHAR(80) NOT NULL,
  content TEXT NOT NULL,
  category VARCHAR(32) NOT NULL,
  beneficiary VARCHAR(80) NOT NULL,
  place_name VARCHAR(120) NOT NULL,
  lon DOUBLE NOT NULL,
  lat DOUBLE NOT NULL,
  radius_meters BIGINT NOT NULL,
  contact_name VARCHAR(64) NOT NULL,
  contact_phone VARCHAR(32) NOT NULL,
  status VARCHAR(16) NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  published_at BIGINT NULL,
  KEY activity_region_id_idx (region_id, status, id),
  KEY activity_status_idx (status, id),
  KEY activity_organizer_staff_id_idx (organizer_staff_id, id),
  CONSTRAINT activity_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT activity_organizer_staff_id_fk FOREIGN KEY (organizer_staff_id) REFERENCES staff (id),
  CONSTRAINT activity_status_check CHECK (status IN ('draft', 'published', 'cancelled', 'finished')),
  CONSTRAINT activity_place_check CHECK (lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90 AND radius_meters > 0),
  CONSTRAINT activity_published_check CHECK (status NOT IN ('published', 'finished') OR published_at IS NOT NULL)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE activity;
