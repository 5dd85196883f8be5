-- +goose Up
-- A person's effective minutes, and the lock under which sign-ups, attendance
-- and records of that person are compared with each other.
CREATE TABLE volunteer_tally (
  resident_id TEXT NOT NULL PRIMARY KEY REFERENCES resident (id),
  effective_minutes BIGINT NOT NULL DEFAULT 0,
  CHECK (effective_minutes >= 0)
);

-- +goose Down
DROP TABLE volunteer_tally;
