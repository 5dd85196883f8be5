-- +goose Up
CREATE TABLE seal_state (
  id INT NOT NULL PRIMARY KEY CHECK (id = 1),
  link_batch BIGINT NOT NULL DEFAULT 0,
  linked_until BIGINT NOT NULL DEFAULT 0,
  relinked_until BIGINT NOT NULL DEFAULT 0,
  holder TEXT NOT NULL DEFAULT '',
  held_until BIGINT NOT NULL DEFAULT 0
);

-- +goose Down
DROP TABLE seal_state;
