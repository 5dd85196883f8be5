-- +goose Up
CREATE TABLE benefit_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  benefit_id CHAR(26) NOT NULL,
  from_status VARCHAR(16) NOT NULL,
  to_status VARCHAR(16) NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  KEY benefit_history_benefit_id_idx (benefit_id, id),
  CONSTRAINT benefit_history_benefit_id_fk FOREIGN KEY (benefit_id) REFERENCES benefit (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE benefit_history;
