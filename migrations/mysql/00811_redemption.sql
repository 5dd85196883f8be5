-- +goose Up
-- Append only: a redemption that is taken back gets a row in redemption_reversal.
CREATE TABLE redemption (
  id CHAR(26) NOT NULL PRIMARY KEY,
  order_id CHAR(26) NOT NULL,
  merchant_id CHAR(26) NOT NULL,
  store_id CHAR(26) NOT NULL,
  clerk_id CHAR(26) NOT NULL,
  transfer_id CHAR(26) NOT NULL,
  idempotency_key VARCHAR(64) NOT NULL,
  input_hash CHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY redemption_order_id_key (order_id),
  UNIQUE KEY redemption_transfer_id_key (transfer_id),
  UNIQUE KEY redemption_clerk_id_idempotency_key_key (clerk_id, idempotency_key),
  KEY redemption_merchant_id_idx (merchant_id, created_at, id),
  KEY redemption_store_id_idx (store_id, created_at, id),
  KEY redemption_clerk_id_idx (clerk_id, created_at, id),
  CONSTRAINT redemption_order_id_fk FOREIGN KEY (order_id) REFERENCES benefit_order (id),
  CONSTRAINT redemption_merchant_id_fk FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT redemption_store_id_fk FOREIGN KEY (store_id) REFERENCES merchant_store (id),
  CONSTRAINT redemption_clerk_id_fk FOREIGN KEY (clerk_id) REFERENCES staff (id),
  CONSTRAINT redemption_transfer_id_fk FOREIGN KEY (transfer_id) REFERENCES transfer (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE redemption;
