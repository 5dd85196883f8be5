-- +goose Up
CREATE TABLE merchant_store (
  id TEXT NOT NULL PRIMARY KEY,
  merchant_id TEXT NOT NULL REFERENCES merchant (id),
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  lon DOUBLE NULL,
  lat DOUBLE NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT merchant_store_place_check CHECK ((lon IS NULL) = (lat IS NULL) AND (lon IS NULL OR (lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90)))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX merchant_store_merchant_id_name_key ON merchant_store (merchant_id, name);
-- +goose StatementEnd

-- +goose Down
DROP TABLE merchant_store;
