-- +goose Up
-- One row: how far the sealer is, and who makes the next seal.
CREATE TABLE seal_state (
  id INT NOT NULL PRIMARY KEY,
  link_batch BIGINT NOT NULL DEFAULT 0,
  linked_until BIGINT NOT NULL DEFAULT 0,
  relinked_until BIGINT NOT NULL DEFAULT 0,
  holder VARCHAR(26) NOT NULL DEFAULT '',
  held_until BIGINT NOT NULL DEFAULT 0,
  CONSTRAINT seal_state_id_check CHECK (id = 1)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE seal_state;
