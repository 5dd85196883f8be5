-- +goose Up
CREATE TABLE case_number (
  county_id TEXT NOT NULL REFERENCES region (id),
  day TEXT NOT NULL,
  last_number BIGINT NOT NULL,
  PRIMARY KEY (county_id, day),
  CONSTRAINT case_number_last_number_check CHECK (last_number >= 1)
);

-- +goose Down
DROP TABLE case_number;
