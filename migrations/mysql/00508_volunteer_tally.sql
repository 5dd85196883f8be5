-- +goose Up
-- A person's effective minutes, and the lock under which sign-ups, attendance
-- and records of that person are compared with each other.
CREATE TABLE volunteer_tally (
  resident_id CHAR(26) NOT NULL PRIMARY KEY,
  effective_minutes BIGINT UNSIGNED NOT NULL DEFAULT 0,
  CONSTRAINT volunteer_tally_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT volunteer_tally_effective_minutes_check CHECK (effective_minutes >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE volunteer_tally;
