-- +goose Up
CREATE TABLE hold (
  id TEXT NOT NULL PRIMARY KEY,
  journal_id TEXT NOT NULL REFERENCES journal (id),
  account_id TEXT NOT NULL REFERENCES account (id),
  amount BIGINT NOT NULL CHECK (amount > 0),
  status TEXT NOT NULL CHECK (status IN ('pending', 'captured', 'released')),
  expires_at BIGINT NOT NULL,
  resolved_journal_id TEXT NULL REFERENCES journal (id),
  resolved_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  CHECK ((status = 'pending') = (resolved_at IS NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX hold_journal_id_key ON hold (journal_id);
CREATE UNIQUE INDEX hold_resolved_journal_id_key ON hold (resolved_journal_id);
CREATE INDEX hold_account_id_idx ON hold (account_id, status);
CREATE INDEX hold_status_expires_at_idx ON hold (status, expires_at);
-- +goose StatementEnd

-- +goose Down
DROP TABLE hold;
