-- +goose Up
CREATE TABLE settlement_line (
  id CHAR(26) NOT NULL PRIMARY KEY,
  statement_id CHAR(26) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  redemption_id CHAR(26) NULL,
  reversal_id CHAR(26) NULL,
  order_id CHAR(26) NOT NULL,
  transfer_id CHAR(26) NOT NULL,
  benefit_title VARCHAR(64) NOT NULL,
  points BIGINT NOT NULL,
  subsidy_fen BIGINT NOT NULL,
  cash_fen BIGINT NOT NULL,
  occurred_at BIGINT NOT NULL,
  UNIQUE KEY settlement_line_redemption_id_key (redemption_id),
  UNIQUE KEY settlement_line_reversal_id_key (reversal_id),
  UNIQUE KEY settlement_line_transfer_id_key (transfer_id),
  KEY settlement_line_statement_id_idx (statement_id, id),
  KEY settlement_line_order_id_idx (order_id),
  CONSTRAINT settlement_line_statement_id_fk FOREIGN KEY (statement_id) REFERENCES settlement_statement (id),
  CONSTRAINT settlement_line_redemption_id_fk FOREIGN KEY (redemption_id) REFERENCES redemption (id),
  CONSTRAINT settlement_line_reversal_id_fk FOREIGN KEY (reversal_id) REFERENCES redemption_reversal (id),
  CONSTRAINT settlement_line_order_id_fk FOREIGN KEY (order_id) REFERENCES benefit_order (id),
  CONSTRAINT settlement_line_transfer_id_fk FOREIGN KEY (transfer_id) REFERENCES transfer (id),
  CONSTRAINT settlement_line_kind_check CHECK (kind IN ('redemption', 'reversal', 'adjustment')),
  CONSTRAINT settlement_line_source_check CHECK ((kind = 'redemption') = (redemption_id IS NOT NULL) AND (kind <> 'redemption') = (reversal_id IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE settlement_line;
