-- +goose Up
-- The nodes of the Merkle tree that are not empty: level 0 is the root, level
-- 16 the buckets. As in seal_leaf, a node is in force until a later published
-- seal has a row of its own.
CREATE TABLE seal_node (
  level INT NOT NULL,
  position INT NOT NULL,
  seal_number BIGINT NOT NULL,
  hash CHAR(64) NOT NULL,
  PRIMARY KEY (level, position, seal_number),
  KEY seal_node_seal_number_idx (seal_number, level, position)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE seal_node;
