-- +goose Up
CREATE TABLE activity_shift (
  id CHAR(26) NOT NULL PRIMARY KEY,
  activity_id CHAR(26) NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  break_minutes BIGINT NOT NULL,
  code_secret CHAR(64) NOT NULL,
  status VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  KEY activity_shift_activity_id_idx (activity_id, starts_at),
  KEY activity_shift_status_idx (status, ends_at, activity_id),
  CONSTRAINT activity_shift_activity_id_fk FOREIGN KEY (activity_id) REFERENCES activity (id),
  CONSTRAINT activity_shift_status_check CHECK (status IN ('open', 'cancelled')),
  CONSTRAINT activity_shift_time_check CHECK (starts_at < ends_at AND break_minutes >= 0 AND break_minutes * 60000000 < ends_at - starts_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE activity_shift;
