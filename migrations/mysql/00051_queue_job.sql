-- +goose Up
CREATE TABLE queue_job (
  id CHAR(26) NOT NULL PRIMARY KEY,
  kind VARCHAR(64) NOT NULL,
  unique_key VARCHAR(128) NULL,
  payload TEXT NOT NULL,
  status VARCHAR(16) NOT NULL,
  due_at BIGINT NOT NULL,
  attempt INT NOT NULL DEFAULT 0,
  lease_token VARCHAR(26) NOT NULL DEFAULT '',
  last_error VARCHAR(500) NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  finished_at BIGINT NULL,
  UNIQUE KEY queue_job_kind_unique_key_key (kind, unique_key),
  KEY queue_job_status_due_at_idx (status, due_at, kind),
  CONSTRAINT queue_job_status_check CHECK (status IN ('pending', 'done', 'dead')),
  CONSTRAINT queue_job_attempt_check CHECK (attempt >= 0),
  CONSTRAINT queue_job_payload_check CHECK (LENGTH(payload) <= 32768)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE queue_job;
