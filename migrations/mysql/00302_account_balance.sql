-- +goose Up
-- headroom repeats posted - held - floor_points as an unsigned number: TiDB
-- ignores CHECK by default, but every engine refuses an unsigned underflow.
CREATE TABLE account_balance (
  account_id CHAR(27) NOT NULL PRIMARY KEY,
  posted BIGINT NOT NULL DEFAULT 0,
  held BIGINT UNSIGNED NOT NULL DEFAULT 0,
  floor_points BIGINT NOT NULL DEFAULT 0,
  headroom BIGINT UNSIGNED NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 1,
  CONSTRAINT account_balance_account_id_fk FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT account_balance_headroom_check CHECK (headroom >= 0 AND posted - CAST(held AS SIGNED) - floor_points = CAST(headroom AS SIGNED)),
  CONSTRAINT account_balance_held_check CHECK (held >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE account_balance;
