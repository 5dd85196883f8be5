-- +goose Up
CREATE TABLE transfer (
  id CHAR(26) NOT NULL PRIMARY KEY,
  journal_id CHAR(26) NOT NULL,
  debit_account_id CHAR(27) NOT NULL,
  credit_account_id CHAR(27) NOT NULL,
  amount BIGINT NOT NULL,
  hold_id CHAR(26) NULL,
  reverses_id CHAR(26) NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY transfer_hold_id_key (hold_id),
  UNIQUE KEY transfer_reverses_id_key (reverses_id),
  KEY transfer_journal_id_idx (journal_id),
  KEY transfer_debit_account_id_idx (debit_account_id, id),
  KEY transfer_credit_account_id_idx (credit_account_id, id),
  CONSTRAINT transfer_journal_id_fk FOREIGN KEY (journal_id) REFERENCES journal (id),
  CONSTRAINT transfer_debit_account_id_fk FOREIGN KEY (debit_account_id) REFERENCES account (id),
  CONSTRAINT transfer_credit_account_id_fk FOREIGN KEY (credit_account_id) REFERENCES account (id),
  CONSTRAINT transfer_hold_id_fk FOREIGN KEY (hold_id) REFERENCES hold (id),
  CONSTRAINT transfer_reverses_id_fk FOREIGN KEY (reverses_id) REFERENCES transfer (id),
  CONSTRAINT transfer_amount_check CHECK (amount > 0),
  CONSTRAINT transfer_accounts_check CHECK (debit_account_id <> credit_account_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE transfer;
