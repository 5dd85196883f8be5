-- +goose Up
-- The counter of a release stands apart from it, so that nobody waits for a foreign key.
-- remaining repeats total - sold as an unsigned number: TiDB ignores CHECK by default,
-- but every engine refuses an unsigned underflow.
CREATE TABLE benefit_stock (
  release_id CHAR(26) NOT NULL PRIMARY KEY,
  total BIGINT NOT NULL,
  sold BIGINT NOT NULL DEFAULT 0,
  remaining BIGINT UNSIGNED NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  CONSTRAINT benefit_stock_release_id_fk FOREIGN KEY (release_id) REFERENCES benefit_release (id),
  CONSTRAINT benefit_stock_sold_check CHECK (sold BETWEEN 0 AND total),
  CONSTRAINT benefit_stock_remaining_check CHECK (remaining >= 0 AND CAST(remaining AS SIGNED) = total - sold)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE benefit_stock;
