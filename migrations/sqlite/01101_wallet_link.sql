-- +goose Up
CREATE TABLE wallet_link (
  account_id TEXT NOT NULL REFERENCES account (id),
  seq BIGINT NOT NULL CHECK (seq > 0),
  transfer_id TEXT NOT NULL REFERENCES transfer (id),
  batch_no BIGINT NOT NULL,
  encoding INT NOT NULL,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, seq)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX wallet_link_transfer_id_key ON wallet_link (transfer_id);
CREATE INDEX wallet_link_batch_no_idx ON wallet_link (batch_no, account_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE wallet_link;
