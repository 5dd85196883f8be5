-- +goose Up
-- Append only: a redemption that is taken back gets a row in redemption_reversal.
CREATE TABLE redemption (
  id TEXT NOT NULL PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES benefit_order (id),
  merchant_id TEXT NOT NULL REFERENCES merchant (id),
  store_id TEXT NOT NULL REFERENCES merchant_store (id),
  clerk_id TEXT NOT NULL REFERENCES staff (id),
  transfer_id TEXT NOT NULL REFERENCES transfer (id),
  idempotency_key TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE UNIQUE INDEX redemption_order_id_key ON redemption (order_id);
CREATE UNIQUE INDEX redemption_transfer_id_key ON redemption (transfer_id);
CREATE UNIQUE INDEX redemption_clerk_id_idempotency_key_key ON redemption (clerk_id, idempotency_key);
CREATE INDEX redemption_merchant_id_idx ON redemption (merchant_id, created_at, id);
CREATE INDEX redemption_store_id_idx ON redemption (store_id, created_at, id);
CREATE INDEX redemption_clerk_id_idx ON redemption (clerk_id, created_at, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE redemption;
