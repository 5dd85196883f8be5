-- +goose Up
CREATE TABLE merchant (
  id TEXT NOT NULL PRIMARY KEY,
  region_id TEXT NOT NULL REFERENCES region (id),
  name TEXT NOT NULL,
  category TEXT NOT NULL,
  contact_name TEXT NOT NULL DEFAULT '',
  contact_phone TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL CHECK (status IN ('draft', 'active', 'suspended')),
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT merchant_name_check CHECK (name <> '')
);
-- +goose StatementBegin
CREATE UNIQUE INDEX merchant_region_id_name_key ON merchant (region_id, name);
CREATE INDEX merchant_region_id_idx ON merchant (region_id, status, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE merchant;
