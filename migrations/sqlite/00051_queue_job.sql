-- +goose Up
CREATE TABLE queue_job (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  unique_key TEXT NULL,
  payload TEXT NOT NULL CHECK (length(CAST(payload AS BLOB)) <= 32768),
  status TEXT NOT NULL CHECK (status IN ('pending', 'done', 'dead')),
  due_at BIGINT NOT NULL,
  attempt INT NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  lease_token TEXT NOT NULL DEFAULT '',
  last_error TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  finished_at BIGINT NULL
);
-- +goose StatementBegin
CREATE UNIQUE INDEX queue_job_kind_unique_key_key ON queue_job (kind, unique_key);
CREATE INDEX queue_job_status_due_at_idx ON queue_job (status, due_at, kind);
-- +goose StatementEnd

-- +goose Down
DROP TABLE queue_job;
