-- +goose Up
-- One late payment of awards: result is the first answer, for a replay.
CREATE TABLE award_payment (
  id TEXT NOT NULL PRIMARY KEY,
  actor_id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  paid_awards BIGINT NOT NULL,
  paid_points BIGINT NOT NULL,
  result TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT award_payment_paid_check CHECK (paid_awards >= 0 AND paid_points >= 0)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX award_payment_actor_id_idempotency_key_key ON award_payment (actor_id, idempotency_key);
-- +goose StatementEnd

-- +goose Down
DROP TABLE award_payment;
