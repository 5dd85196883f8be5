-- +goose Up
-- A lot whose owner was told that it expires soon: once, whatever the outbox forgets.
CREATE TABLE expiry_notice (
  lot_id TEXT NOT NULL PRIMARY KEY REFERENCES lot (id),
  created_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE expiry_notice;
