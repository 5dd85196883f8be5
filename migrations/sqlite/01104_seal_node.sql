-- +goose Up
CREATE TABLE seal_node (
  level INT NOT NULL,
  position INT NOT NULL,
  seal_number BIGINT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (level, position, seal_number)
);
-- +goose StatementBegin
CREATE INDEX seal_node_seal_number_idx ON seal_node (seal_number, level, position);
-- +goose StatementEnd

-- +goose Down
DROP TABLE seal_node;
