-- +goose Up
CREATE TABLE journal (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('earn', 'hold', 'capture', 'release', 'reverse', 'expire', 'settle', 'adjust')),
  source_type TEXT NOT NULL,
  source_id TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  idempotency_key TEXT NULL,
  input_hash TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  rule_id TEXT NULL,
  rule_version BIGINT NULL,
  evidence TEXT NOT NULL,
  effective_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE UNIQUE INDEX journal_source_key ON journal (kind, source_type, source_id);
CREATE UNIQUE INDEX journal_actor_id_idempotency_key_key ON journal (actor_id, idempotency_key);
-- +goose StatementEnd

-- +goose Down
DROP TABLE journal;
