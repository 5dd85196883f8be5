-- +goose Up
-- store_id is set when a store moved, not the merchant.
CREATE TABLE merchant_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  merchant_id CHAR(26) NOT NULL,
  store_id CHAR(26) NULL,
  from_status VARCHAR(16) NOT NULL,
  to_status VARCHAR(16) NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  KEY merchant_history_merchant_id_idx (merchant_id, id),
  KEY merchant_history_store_id_idx (store_id),
  CONSTRAINT merchant_history_merchant_id_fk FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT merchant_history_store_id_fk FOREIGN KEY (store_id) REFERENCES merchant_store (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE merchant_history;
