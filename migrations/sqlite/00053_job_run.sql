-- +goose Up
CREATE TABLE job_run (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  scheduled_at BIGINT NOT NULL,
  cause TEXT NOT NULL CHECK (cause IN ('tick', 'catch_up', 'takeover', 'manual')),
  requested_by TEXT NOT NULL DEFAULT '',
  instance TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'abandoned')),
  started_at BIGINT NOT NULL,
  finished_at BIGINT NULL,
  result TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '',
  CHECK ((status = 'running') = (finished_at IS NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX job_run_name_scheduled_at_key ON job_run (name, scheduled_at);
CREATE INDEX job_run_finished_at_idx ON job_run (finished_at);
-- +goose StatementEnd

-- +goose Down
DROP TABLE job_run;
