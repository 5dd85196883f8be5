-- +goose Up
-- store_id is set when a store moved, not the merchant.
CREATE TABLE merchant_history (
  id TEXT NOT NULL PRIMARY KEY,
  merchant_id TEXT NOT NULL REFERENCES merchant (id),
  store_id TEXT NULL REFERENCES merchant_store (id),
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX merchant_history_merchant_id_idx ON merchant_history (merchant_id, id);
CREATE INDEX merchant_history_store_id_idx ON merchant_history (store_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE merchant_history;
