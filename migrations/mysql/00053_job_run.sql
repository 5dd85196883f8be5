-- +goose Up
CREATE TABLE job_run (
  id CHAR(26) NOT NULL PRIMARY KEY,
  name VARCHAR(64) NOT NULL,
  scheduled_at BIGINT NOT NULL,
  cause VARCHAR(16) NOT NULL,
  requested_by VARCHAR(64) NOT NULL DEFAULT '',
  instance VARCHAR(64) NOT NULL,
  status VARCHAR(16) NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NULL,
  result VARCHAR(500) NOT NULL DEFAULT '',
  error VARCHAR(500) NOT NULL DEFAULT '',
  UNIQUE KEY job_run_name_scheduled_at_key (name, scheduled_at),
  KEY job_run_finished_at_idx (finished_at),
  CONSTRAINT job_run_cause_check CHECK (cause IN ('tick', 'catch_up', 'takeover', 'manual')),
  CONSTRAINT job_run_status_check CHECK (status IN ('running', 'succeeded', 'failed', 'abandoned')),
  CONSTRAINT job_run_finished_at_check CHECK ((status = 'running') = (finished_at IS NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE job_run;
