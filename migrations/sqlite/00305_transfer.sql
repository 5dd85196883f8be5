-- +goose Up
CREATE TABLE transfer (
  id TEXT NOT NULL PRIMARY KEY,
  journal_id TEXT NOT NULL REFERENCES journal (id),
  debit_account_id TEXT NOT NULL REFERENCES account (id),
  credit_account_id TEXT NOT NULL REFERENCES account (id),
  amount BIGINT NOT NULL CHECK (amount > 0),
  hold_id TEXT NULL REFERENCES hold (id),
  reverses_id TEXT NULL REFERENCES transfer (id),
  created_at BIGINT NOT NULL,
  CHECK (debit_account_id <> credit_account_id)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX transfer_hold_id_key ON transfer (hold_id);
CREATE UNIQUE INDEX transfer_reverses_id_key ON transfer (reverses_id);
CREATE INDEX transfer_journal_id_idx ON transfer (journal_id);
CREATE INDEX transfer_debit_account_id_idx ON transfer (debit_account_id, id);
CREATE INDEX transfer_credit_account_id_idx ON transfer (credit_account_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE transfer;
