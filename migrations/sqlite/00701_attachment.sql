-- +goose Up
CREATE TABLE attachment (
  id TEXT NOT NULL PRIMARY KEY,
  owner_kind TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  storage_key TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  content_type TEXT NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  status TEXT NOT NULL,
  trace_id TEXT NULL,
  check_verdict TEXT NOT NULL DEFAULT '',
  decided_by TEXT NOT NULL DEFAULT '',
  check_attempts BIGINT NOT NULL DEFAULT 0,
  check_started_at BIGINT NULL,
  stored_at BIGINT NULL,
  attached_at BIGINT NULL,
  discarded_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT attachment_owner_kind_check CHECK (owner_kind IN ('resident', 'staff')),
  CONSTRAINT attachment_status_check CHECK (status IN ('pending', 'passed', 'rejected')),
  CONSTRAINT attachment_size_check CHECK (size_bytes BETWEEN 1 AND 10485760 AND width BETWEEN 1 AND 10000 AND height BETWEEN 1 AND 10000),
  CONSTRAINT attachment_verdict_check CHECK (check_verdict IN ('', 'pass', 'review', 'risky')),
  CONSTRAINT attachment_use_check CHECK (attached_at IS NULL OR (stored_at IS NOT NULL AND discarded_at IS NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX attachment_storage_key_key ON attachment (storage_key);
CREATE UNIQUE INDEX attachment_trace_id_key ON attachment (trace_id);
CREATE INDEX attachment_owner_id_idx ON attachment (owner_id, id);
CREATE INDEX attachment_attached_at_idx ON attachment (attached_at, created_at);
CREATE INDEX attachment_discarded_at_idx ON attachment (discarded_at);
CREATE INDEX attachment_status_idx ON attachment (status, check_started_at);
-- +goose StatementEnd

-- +goose Down
DROP TABLE attachment;
