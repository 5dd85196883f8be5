-- +goose Up
-- A run of the audit. slot is 1 while it waits or runs: the key over it lets one run at a time. state is what
-- another worker needs to go on.
CREATE TABLE audit_run (
  id TEXT NOT NULL PRIMARY KEY,
  cause TEXT NOT NULL,
  requested_by TEXT NULL REFERENCES staff (id),
  status TEXT NOT NULL,
  slot BIGINT NULL,
  run_token TEXT NOT NULL DEFAULT '',
  freezes_accounts SMALLINT NOT NULL DEFAULT 0,
  state TEXT NOT NULL,
  done BIGINT NOT NULL DEFAULT 0,
  total BIGINT NOT NULL DEFAULT 0,
  accounts BIGINT NOT NULL DEFAULT 0,
  links BIGINT NOT NULL DEFAULT 0,
  journals BIGINT NOT NULL DEFAULT 0,
  seals BIGINT NOT NULL DEFAULT 0,
  checked_rows BIGINT NOT NULL DEFAULT 0,
  difference_count BIGINT NOT NULL DEFAULT 0,
  frozen_count BIGINT NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  started_at BIGINT NULL,
  updated_at BIGINT NOT NULL,
  finished_at BIGINT NULL,
  CONSTRAINT audit_run_cause_check CHECK (cause IN ('nightly', 'staff') AND (cause = 'staff') = (requested_by IS NOT NULL)),
  CONSTRAINT audit_run_status_check CHECK (status IN ('queued', 'running', 'sound', 'different', 'failed')),
  CONSTRAINT audit_run_slot_check CHECK ((status IN ('queued', 'running')) = (slot IS NOT NULL) AND (slot IS NULL OR slot = 1)),
  CONSTRAINT audit_run_difference_count_check CHECK ((status = 'different') = (difference_count > 0)),
  CONSTRAINT audit_run_finished_at_check CHECK ((status IN ('queued', 'running')) = (finished_at IS NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX audit_run_slot_key ON audit_run (slot);
CREATE INDEX audit_run_requested_by_idx ON audit_run (requested_by);
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_run;
