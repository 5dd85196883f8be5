-- +goose Up
-- The counter of a release stands apart from it, so that nobody waits for a foreign key.
-- remaining repeats total - sold as an unsigned number: TiDB ignores CHECK by default,
-- but every engine refuses an unsigned underflow.
CREATE TABLE benefit_stock (
  release_id TEXT NOT NULL PRIMARY KEY REFERENCES benefit_release (id),
  total BIGINT NOT NULL,
  sold BIGINT NOT NULL DEFAULT 0,
  remaining BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  CONSTRAINT benefit_stock_sold_check CHECK (sold BETWEEN 0 AND total),
  CONSTRAINT benefit_stock_remaining_check CHECK (remaining >= 0 AND remaining = total - sold)
);

-- +goose Down
DROP TABLE benefit_stock;
