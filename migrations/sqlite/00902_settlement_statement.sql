-- +goose Up
CREATE TABLE settlement_statement (
  id TEXT NOT NULL PRIMARY KEY,
  period_id TEXT NOT NULL REFERENCES settlement_period (id),
  merchant_id TEXT NOT NULL REFERENCES merchant (id),
  line_count BIGINT NOT NULL,
  points BIGINT NOT NULL,
  subsidy_fen BIGINT NOT NULL,
  carried_in_points BIGINT NOT NULL,
  carried_in_fen BIGINT NOT NULL,
  settled_points BIGINT NOT NULL,
  payable_fen BIGINT NOT NULL,
  carried_out_points BIGINT NOT NULL,
  carried_out_fen BIGINT NOT NULL,
  journal_id TEXT NULL REFERENCES journal (id),
  status TEXT NOT NULL CHECK (status IN ('issued', 'confirmed', 'disputed')),
  confirm_by BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CHECK (points + carried_in_points = settled_points + carried_out_points AND settled_points >= 0 AND carried_out_points <= 0),
  CHECK (subsidy_fen + carried_in_fen = payable_fen + carried_out_fen AND payable_fen >= 0 AND carried_out_fen <= 0),
  CHECK ((settled_points > 0) = (journal_id IS NOT NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX settlement_statement_period_key ON settlement_statement (period_id, merchant_id);
CREATE UNIQUE INDEX settlement_statement_journal_id_key ON settlement_statement (journal_id);
CREATE INDEX settlement_statement_merchant_idx ON settlement_statement (merchant_id, id);
CREATE INDEX settlement_statement_status_idx ON settlement_statement (status, confirm_by);
-- +goose StatementEnd

-- +goose Down
DROP TABLE settlement_statement;
