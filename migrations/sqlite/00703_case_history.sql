-- +goose Up
CREATE TABLE case_history (
  id TEXT NOT NULL PRIMARY KEY,
  case_id TEXT NOT NULL REFERENCES case_file (id),
  seq BIGINT NOT NULL,
  move TEXT NOT NULL,
  from_status TEXT NULL,
  to_status TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  idempotency_key TEXT NULL,
  input_hash TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  CONSTRAINT case_history_actor_kind_check CHECK (actor_kind IN ('resident', 'staff', 'system')),
  CONSTRAINT case_history_seq_check CHECK (seq >= 1 AND (seq = 1) = (from_status IS NULL)),
  CONSTRAINT case_history_to_status_check CHECK (to_status IN ('submitted', 'accepted', 'dispatched', 'handling', 'handled', 'reopened', 'confirmed', 'closed', 'rejected', 'withdrawn'))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX case_history_case_id_seq_key ON case_history (case_id, seq);
CREATE UNIQUE INDEX case_history_case_id_idempotency_key_key ON case_history (case_id, idempotency_key);
CREATE INDEX case_history_actor_id_idx ON case_history (actor_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE case_history;
