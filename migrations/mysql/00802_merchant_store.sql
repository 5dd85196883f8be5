-- +goose Up
CREATE TABLE merchant_store (
  id CHAR(26) NOT NULL PRIMARY KEY,
  merchant_id CHAR(26) NOT NULL,
  name VARCHAR(64) NOT NULL,
  address VARCHAR(200) NOT NULL,
  lon DOUBLE NULL,
  lat DOUBLE NULL,
  status VARCHAR(16) NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY merchant_store_merchant_id_name_key (merchant_id, name),
  CONSTRAINT merchant_store_merchant_id_fk FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT merchant_store_status_check CHECK (status IN ('open', 'closed')),
  CONSTRAINT merchant_store_place_check CHECK ((lon IS NULL) = (lat IS NULL) AND (lon IS NULL OR (lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90)))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE merchant_store;
