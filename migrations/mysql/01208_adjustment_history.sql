-- +goose Up
CREATE TABLE adjustment_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  adjustment_id CHAR(26) NOT NULL,
  from_status VARCHAR(16) NOT NULL,
  to_status VARCHAR(16) NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  KEY adjustment_history_adjustment_id_idx (adjustment_id, id),
  CONSTRAINT adjustment_history_adjustment_id_fk FOREIGN KEY (adjustment_id) REFERENCES adjustment (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE adjustment_history;
