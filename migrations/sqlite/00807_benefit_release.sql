-- +goose Up
CREATE TABLE benefit_release (
  id TEXT NOT NULL PRIMARY KEY,
  benefit_id TEXT NOT NULL REFERENCES benefit (id),
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  idempotency_key TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT benefit_release_window_check CHECK (starts_at < ends_at)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX benefit_release_benefit_id_idempotency_key_key ON benefit_release (benefit_id, idempotency_key);
CREATE INDEX benefit_release_benefit_id_idx ON benefit_release (benefit_id, ends_at);
-- +goose StatementEnd

-- +goose Down
DROP TABLE benefit_release;
