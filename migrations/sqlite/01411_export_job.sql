-- +goose Up
-- A list that a member of staff has written into a file. slot is set while it waits or runs: the key over it
-- bounds how many one person has at once.
CREATE TABLE export_job (
  id TEXT NOT NULL PRIMARY KEY,
  staff_id TEXT NOT NULL REFERENCES staff (id),
  resource TEXT NOT NULL,
  format TEXT NOT NULL,
  filters TEXT NOT NULL,
  status TEXT NOT NULL,
  slot BIGINT NULL,
  rows_done BIGINT NOT NULL DEFAULT 0,
  truncated SMALLINT NOT NULL DEFAULT 0,
  run_token TEXT NOT NULL DEFAULT '',
  file_key TEXT NOT NULL DEFAULT '',
  size_bytes BIGINT NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  finished_at BIGINT NULL,
  expires_at BIGINT NULL,
  CONSTRAINT export_job_format_check CHECK (format IN ('csv', 'xlsx')),
  CONSTRAINT export_job_status_check CHECK (status IN ('queued', 'running', 'done', 'failed', 'expired')),
  CONSTRAINT export_job_slot_check CHECK ((status IN ('queued', 'running')) = (slot IS NOT NULL)),
  CONSTRAINT export_job_file_check CHECK ((status = 'done') = (file_key <> ''))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX export_job_staff_id_slot_key ON export_job (staff_id, slot);
CREATE INDEX export_job_staff_id_idx ON export_job (staff_id, id);
CREATE INDEX export_job_status_idx ON export_job (status, created_at);
-- +goose StatementEnd

-- +goose Down
DROP TABLE export_job;
