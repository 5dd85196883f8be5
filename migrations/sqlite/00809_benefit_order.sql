-- +goose Up
-- slot counts the live orders of one resident for one benefit: the limit per person is
-- the unique key over it. It is NULL again once the order has been given up.
CREATE TABLE benefit_order (
  id TEXT NOT NULL PRIMARY KEY,
  resident_id TEXT NOT NULL REFERENCES resident (id),
  benefit_id TEXT NOT NULL REFERENCES benefit (id),
  release_id TEXT NOT NULL REFERENCES benefit_release (id),
  merchant_id TEXT NOT NULL REFERENCES merchant (id),
  points BIGINT NOT NULL,
  cash_fen BIGINT NOT NULL,
  subsidy_fen BIGINT NOT NULL,
  slot BIGINT NULL,
  status TEXT NOT NULL CHECK (status IN ('held', 'redeemed', 'cancelled', 'expired', 'reversed')),
  hold_id TEXT NOT NULL REFERENCES hold (id),
  idempotency_key TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  code_locator BIGINT NOT NULL,
  redeem_until BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT benefit_order_amount_check CHECK (points > 0 AND cash_fen >= 0 AND subsidy_fen >= 0),
  CONSTRAINT benefit_order_slot_check CHECK ((status IN ('held', 'redeemed')) = (slot IS NOT NULL) AND (slot IS NULL OR slot >= 1)),
  CONSTRAINT benefit_order_code_locator_check CHECK (code_locator BETWEEN 0 AND 99999)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX benefit_order_hold_id_key ON benefit_order (hold_id);
CREATE UNIQUE INDEX benefit_order_resident_id_idempotency_key_key ON benefit_order (resident_id, idempotency_key);
CREATE UNIQUE INDEX benefit_order_slot_key ON benefit_order (benefit_id, resident_id, slot);
CREATE INDEX benefit_order_resident_id_idx ON benefit_order (resident_id, id);
CREATE INDEX benefit_order_release_id_idx ON benefit_order (release_id, status);
CREATE INDEX benefit_order_merchant_id_idx ON benefit_order (merchant_id, id);
CREATE INDEX benefit_order_due_idx ON benefit_order (status, redeem_until);
CREATE INDEX benefit_order_code_locator_idx ON benefit_order (code_locator, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE benefit_order;
