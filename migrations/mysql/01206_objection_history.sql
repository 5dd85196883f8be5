-- +goose Up
CREATE TABLE objection_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  objection_id CHAR(26) NOT NULL,
  from_status VARCHAR(16) NOT NULL,
  to_status VARCHAR(16) NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  KEY objection_history_objection_id_idx (objection_id, id),
  CONSTRAINT objection_history_objection_id_fk FOREIGN KEY (objection_id) REFERENCES objection (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE objection_history;
