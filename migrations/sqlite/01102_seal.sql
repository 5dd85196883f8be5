-- +goose Up
CREATE TABLE seal (
  id TEXT NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL CHECK (number > 0),
  day TEXT NOT NULL,
  root TEXT NOT NULL,
  wallet_count BIGINT NOT NULL,
  link_batch BIGINT NOT NULL,
  previous_root TEXT NOT NULL,
  previous_hash TEXT NOT NULL,
  hash TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE UNIQUE INDEX seal_number_key ON seal (number);
CREATE UNIQUE INDEX seal_day_key ON seal (day);
-- +goose StatementEnd

-- +goose Down
DROP TABLE seal;
