-- +goose Up
-- No row: every store of the merchant redeems the benefit.
CREATE TABLE benefit_store (
  benefit_id TEXT NOT NULL REFERENCES benefit (id),
  store_id TEXT NOT NULL REFERENCES merchant_store (id),
  PRIMARY KEY (benefit_id, store_id)
);
-- +goose StatementBegin
CREATE INDEX benefit_store_store_id_idx ON benefit_store (store_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE benefit_store;
