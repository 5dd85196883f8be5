-- +goose Up
CREATE TABLE redemption_reversal (
  id TEXT NOT NULL PRIMARY KEY,
  redemption_id TEXT NOT NULL REFERENCES redemption (id),
  order_id TEXT NOT NULL REFERENCES benefit_order (id),
  merchant_id TEXT NOT NULL REFERENCES merchant (id),
  staff_id TEXT NOT NULL REFERENCES staff (id),
  transfer_id TEXT NOT NULL REFERENCES transfer (id),
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT redemption_reversal_reason_check CHECK (reason <> '')
);
-- +goose StatementBegin
CREATE UNIQUE INDEX redemption_reversal_redemption_id_key ON redemption_reversal (redemption_id);
CREATE UNIQUE INDEX redemption_reversal_order_id_key ON redemption_reversal (order_id);
CREATE UNIQUE INDEX redemption_reversal_transfer_id_key ON redemption_reversal (transfer_id);
CREATE INDEX redemption_reversal_merchant_id_idx ON redemption_reversal (merchant_id, created_at, id);
CREATE INDEX redemption_reversal_staff_id_idx ON redemption_reversal (staff_id, created_at);
-- +goose StatementEnd

-- +goose Down
DROP TABLE redemption_reversal;
