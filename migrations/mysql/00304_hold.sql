-- +goose Up
CREATE TABLE hold (
  id CHAR(26) NOT NULL PRIMARY KEY,
  journal_id CHAR(26) NOT NULL,
  account_id CHAR(27) NOT NULL,
  amount BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  expires_at BIGINT NOT NULL,
  resolved_journal_id CHAR(26) NULL,
  resolved_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY hold_journal_id_key (journal_id),
  UNIQUE KEY hold_resolved_journal_id_key (resolved_journal_id),
  KEY hold_account_id_idx (account_id, status),
  KEY hold_status_expires_at_idx (status, expires_at),
  CONSTRAINT hold_journal_id_fk FOREIGN KEY (journal_id) REFERENCES journal (id),
  CONSTRAINT hold_resolved_journal_id_fk FOREIGN KEY (resolved_journal_id) REFERENCES journal (id),
  CONSTRAINT hold_account_id_fk FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT hold_amount_check CHECK (amount > 0),
  CONSTRAINT hold_status_check CHECK (status IN ('pending', 'captured', 'released')),
  CONSTRAINT hold_resolved_check CHECK ((status = 'pending') = (resolved_at IS NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE hold;
