-- +goose Up
CREATE TABLE statement_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  statement_id CHAR(26) NOT NULL,
  from_status VARCHAR(16) NOT NULL,
  to_status VARCHAR(16) NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  KEY statement_history_statement_id_idx (statement_id, id),
  CONSTRAINT statement_history_statement_id_fk FOREIGN KEY (statement_id) REFERENCES settlement_statement (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE statement_history;
