-- +goose Up
-- The head of a chain as a seal saw it. Rows of a seal that is not published
-- yet count for nothing; superseded rows are pruned.
CREATE TABLE seal_leaf (
  account_id CHAR(27) NOT NULL,
  seal_number BIGINT NOT NULL,
  bucket INT NOT NULL,
  seq BIGINT NOT NULL,
  head CHAR(64) NOT NULL,
  PRIMARY KEY (account_id, seal_number),
  KEY seal_leaf_bucket_idx (bucket, account_id),
  KEY seal_leaf_seal_number_idx (seal_number, account_id),
  CONSTRAINT seal_leaf_account_id_fk FOREIGN KEY (account_id) REFERENCES account (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE seal_leaf;
