-- +goose Up
-- Answers given under an idempotency key.
CREATE TABLE volunteer_request (
  id TEXT NOT NULL PRIMARY KEY,
  actor_id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  answer TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE UNIQUE INDEX volunteer_request_idempotency_key_key ON volunteer_request (actor_id, idempotency_key);
-- +goose StatementEnd

-- +goose Down
DROP TABLE volunteer_request;
