-- +goose Up
CREATE TABLE account (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('wallet', 'merchant', 'budget', 'system')),
  owner_id TEXT NOT NULL,
  frozen_reason TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE UNIQUE INDEX account_kind_owner_id_key ON account (kind, owner_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE account;
