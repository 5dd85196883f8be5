-- +goose Up
CREATE TABLE settlement_line (
  id TEXT NOT NULL PRIMARY KEY,
  statement_id TEXT NOT NULL REFERENCES settlement_statement (id),
  kind TEXT NOT NULL CHECK (kind IN ('redemption', 'reversal', 'adjustment')),
  redemption_id TEXT NULL REFERENCES redemption (id),
  reversal_id TEXT NULL REFERENCES redemption_reversal (id),
  order_id TEXT NOT NULL REFERENCES benefit_order (id),
  transfer_id TEXT NOT NULL REFERENCES transfer (id),
  benefit_title TEXT NOT NULL,
  points BIGINT NOT NULL,
  subsidy_fen BIGINT NOT NULL,
  cash_fen BIGINT NOT NULL,
  occurred_at BIGINT NOT NULL,
  CHECK ((kind = 'redemption') = (redemption_id IS NOT NULL) AND (kind <> 'redemption') = (reversal_id IS NOT NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX settlement_line_redemption_id_key ON settlement_line (redemption_id);
CREATE UNIQUE INDEX settlement_line_reversal_id_key ON settlement_line (reversal_id);
CREATE UNIQUE INDEX settlement_line_transfer_id_key ON settlement_line (transfer_id);
CREATE INDEX settlement_line_statement_id_idx ON settlement_line (statement_id, id);
CREATE INDEX settlement_line_order_id_idx ON settlement_line (order_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE settlement_line;
