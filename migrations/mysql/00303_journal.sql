-- +goose Up
CREATE TABLE journal (
  id CHAR(26) NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL,
  source_type VARCHAR(32) NOT NULL,
  source_id VARCHAR(64) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  idempotency_key VARCHAR(64) NULL,
  input_hash CHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL DEFAULT '',
  rule_id CHAR(26) NULL,
  rule_version BIGINT NULL,
  evidence TEXT NOT NULL,
  effective_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY journal_source_key (kind, source_type, source_id),
  UNIQUE KEY journal_actor_id_idempotency_key_key (actor_id, idempotency_key),
  CONSTRAINT journal_kind_check CHECK (kind IN ('earn', 'hold', 'capture', 'release', 'reverse', 'expire', 'settle', 'adjust'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE journal;
