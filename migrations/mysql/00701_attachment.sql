-- +goose Up
CREATE TABLE attachment (
  id CHAR(26) NOT NULL PRIMARY KEY,
  owner_kind VARCHAR(16) NOT NULL,
  owner_id VARCHAR(64) NOT NULL,
  storage_key CHAR(32) NOT NULL,
  sha256 CHAR(64) NOT NULL,
  size_bytes BIGINT NOT NULL,
  content_type VARCHAR(32) NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  trace_id VARCHAR(128) NULL,
  check_verdict VARCHAR(16) NOT NULL DEFAULT '',
  decided_by VARCHAR(64) NOT NULL DEFAULT '',
  check_attempts BIGINT NOT NULL DEFAULT 0,
  check_started_at BIGINT NULL,
  stored_at BIGINT NULL,
  attached_at BIGINT NULL,
  discarded_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY attachment_storage_key_key (storage_key),
  UNIQUE KEY attachment_trace_id_key (trace_id),
  KEY attachment_owner_id_idx (owner_id, id),
  KEY attachment_attached_at_idx (attached_at, created_at),
  KEY attachment_discarded_at_idx (discarded_at),
  KEY attachment_status_idx (status, check_started_at),
  CONSTRAINT attachment_owner_kind_check CHECK (owner_kind IN ('resident', 'staff')),
  CONSTRAINT attachment_status_check CHECK (status IN ('pending', 'passed', 'rejected')),
  CONSTRAINT attachment_size_check CHECK (size_bytes BETWEEN 1 AND 10485760 AND width BETWEEN 1 AND 10000 AND height BETWEEN 1 AND 10000),
  CONSTRAINT attachment_verdict_check CHECK (check_verdict IN ('', 'pass', 'review', 'risky')),
  CONSTRAINT attachment_use_check CHECK (attached_at IS NULL OR (stored_at IS NOT NULL AND discarded_at IS NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE attachment;
