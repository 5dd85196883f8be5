-- +goose Up
-- One late payment of awards: result is the first answer, for a replay.
CREATE TABLE award_payment (
  id CHAR(26) NOT NULL PRIMARY KEY,
  actor_id VARCHAR(64) NOT NULL,
  idempotency_key VARCHAR(64) NOT NULL,
  input_hash CHAR(64) NOT NULL,
  paid_awards BIGINT NOT NULL,
  paid_points BIGINT NOT NULL,
  result TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY award_payment_actor_id_idempotency_key_key (actor_id, idempotency_key),
  CONSTRAINT award_payment_paid_check CHECK (paid_awards >= 0 AND paid_points >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE award_payment;
