-- +goose Up
CREATE TABLE lot (
  id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES account (id),
  expires_on TEXT NOT NULL,
  remaining BIGINT NOT NULL CHECK (remaining >= 0),
  held BIGINT NOT NULL DEFAULT 0 CHECK (held >= 0 AND held <= remaining),
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE UNIQUE INDEX lot_account_id_expires_on_key ON lot (account_id, expires_on);
CREATE INDEX lot_expires_on_idx ON lot (expires_on, account_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE lot;
