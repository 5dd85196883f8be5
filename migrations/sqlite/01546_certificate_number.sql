-- +goose Up
-- The last number that a county gave out in a year.
CREATE TABLE certificate_number (
  county_id TEXT NOT NULL REFERENCES region (id),
  year BIGINT NOT NULL,
  last_number BIGINT NOT NULL,
  PRIMARY KEY (county_id, year),
  CHECK (last_number BETWEEN 0 AND 999999)
);

-- +goose Down
DROP TABLE certificate_number;
