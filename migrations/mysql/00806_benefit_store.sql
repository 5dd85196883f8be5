-- +goose Up
-- No row: every store of the merchant redeems the benefit.
CREATE TABLE benefit_store (
  benefit_id CHAR(26) NOT NULL,
  store_id CHAR(26) NOT NULL,
  PRIMARY KEY (benefit_id, store_id),
  KEY benefit_store_store_id_idx (store_id),
  CONSTRAINT benefit_store_benefit_id_fk FOREIGN KEY (benefit_id) REFERENCES benefit (id),
  CONSTRAINT benefit_store_store_id_fk FOREIGN KEY (store_id) REFERENCES merchant_store (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE benefit_store;
