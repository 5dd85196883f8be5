-- +goose Up
CREATE TABLE settlement_statement (
  id CHAR(26) NOT NULL PRIMARY KEY,
  period_id CHAR(26) NOT NULL,
  merchant_id CHAR(26) NOT NULL,
  line_count BIGINT NOT NULL,
  points BIGINT NOT NULL,
  subsidy_fen BIGINT NOT NULL,
  carried_in_points BIGINT NOT NULL,
  carried_in_fen BIGINT NOT NULL,
  settled_points BIGINT NOT NULL,
  payable_fen BIGINT NOT NULL,
  carried_out_points BIGINT NOT NULL,
  carried_out_fen BIGINT NOT NULL,
  journal_id CHAR(26) NULL,
  status VARCHAR(16) NOT NULL,
  confirm_by BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY settlement_statement_period_key (period_id, merchant_id),
  UNIQUE KEY settlement_statement_journal_id_key (journal_id),
  KEY settlement_statement_merchant_idx (merchant_id, id),
  KEY settlement_statement_status_idx (status, confirm_by),
  CONSTRAINT settlement_statement_period_id_fk FOREIGN KEY (period_id) REFERENCES settlement_period (id),
  CONSTRAINT settlement_statement_merchant_id_fk FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT settlement_statement_journal_id_fk FOREIGN KEY (journal_id) REFERENCES journal (id),
  CONSTRAINT settlement_statement_status_check CHECK (status IN ('issued', 'confirmed', 'disputed')),
  CONSTRAINT settlement_statement_points_check CHECK (points + carried_in_points = settled_points + carried_out_points AND settled_points >= 0 AND carried_out_points <= 0),
  CONSTRAINT settlement_statement_fen_check CHECK (subsidy_fen + carried_in_fen = payable_fen + carried_out_fen AND payable_fen >= 0 AND carried_out_fen <= 0),
  CONSTRAINT settlement_statement_journal_check CHECK ((settled_points > 0) = (journal_id IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE settlement_statement;
