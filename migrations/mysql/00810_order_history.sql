-- +goose Up
CREATE TABLE order_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  order_id CHAR(26) NOT NULL,
  from_status VARCHAR(16) NOT NULL,
  to_status VARCHAR(16) NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL DEFAULT '',
  idempotency_key VARCHAR(64) NULL,
  input_hash CHAR(64) NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY order_history_actor_id_idempotency_key_key (actor_id, idempotency_key),
  KEY order_history_order_id_idx (order_id, to_status),
  CONSTRAINT order_history_order_id_fk FOREIGN KEY (order_id) REFERENCES benefit_order (id),
  CONSTRAINT order_history_key_check CHECK ((idempotency_key IS NULL) = (input_hash IS NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE order_history;
