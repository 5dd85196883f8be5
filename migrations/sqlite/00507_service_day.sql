-- +goose Up
-- Minutes of one person and day in records that were not rejected: no day may
-- hold more than twelve hours.
CREATE TABLE service_day (
  resident_id TEXT NOT NULL REFERENCES resident (id),
  day TEXT NOT NULL,
  minutes BIGINT NOT NULL,
  PRIMARY KEY (resident_id, day),
  CHECK (minutes BETWEEN 0 AND 720)
);

-- +goose Down
DROP TABLE service_day;
