-- +goose Up
CREATE TABLE account_balance (
  account_id TEXT NOT NULL PRIMARY KEY REFERENCES account (id),
  posted BIGINT NOT NULL DEFAULT 0,
  held BIGINT NOT NULL DEFAULT 0 CHECK (held >= 0),
  floor_points BIGINT NOT NULL DEFAULT 0,
  headroom BIGINT NOT NULL DEFAULT 0 CHECK (headroom >= 0 AND posted - held - floor_points = headroom),
  version BIGINT NOT NULL DEFAULT 1
);

-- +goose Down
DROP TABLE account_balance;
