-- +goose Up
CREATE TABLE order_history (
  id TEXT NOT NULL PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES benefit_order (id),
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  idempotency_key TEXT NULL,
  input_hash TEXT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT order_history_key_check CHECK ((idempotency_key IS NULL) = (input_hash IS NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX order_history_actor_id_idempotency_key_key ON order_history (actor_id, idempotency_key);
CREATE INDEX order_history_order_id_idx ON order_history (order_id, to_status);
-- +goose StatementEnd

-- +goose Down
DROP TABLE order_history;
