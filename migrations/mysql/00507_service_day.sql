-- +goose Up
-- Minutes of one person and day in records that were not rejected: no day may
-- hold more than twelve hours.
CREATE TABLE service_day (
  resident_id CHAR(26) NOT NULL,
  day CHAR(10) NOT NULL,
  minutes BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (resident_id, day),
  CONSTRAINT service_day_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT service_day_minutes_check CHECK (minutes BETWEEN 0 AND 720)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE service_day;
