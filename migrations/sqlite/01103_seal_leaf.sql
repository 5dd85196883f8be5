-- +goose Up
CREATE TABLE seal_leaf (
  account_id TEXT NOT NULL REFERENCES account (id),
  seal_number BIGINT NOT NULL,
  bucket INT NOT NULL,
  seq BIGINT NOT NULL,
  head TEXT NOT NULL,
  PRIMARY KEY (account_id, seal_number)
);
-- +goose StatementBegin
CREATE INDEX seal_leaf_bucket_idx ON seal_leaf (bucket, account_id);
CREATE INDEX seal_leaf_seal_number_idx ON seal_leaf (seal_number, account_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE seal_leaf;
