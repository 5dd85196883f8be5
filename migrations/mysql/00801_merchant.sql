-- +goose Up
CREATE TABLE merchant (
  id CHAR(26) NOT NULL PRIMARY KEY,
  region_id CHAR(26) NOT NULL,
  name VARCHAR(64) NOT NULL,
  category VARCHAR(32) NOT NULL,
  contact_name VARCHAR(64) NOT NULL DEFAULT '',
  contact_phone VARCHAR(32) NOT NULL DEFAULT '',
  status VARCHAR(16) NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY merchant_region_id_name_key (region_id, name),
  KEY merchant_region_id_idx (region_id, status, id),
  CONSTRAINT merchant_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT merchant_status_check CHECK (status IN ('draft', 'active', 'suspended')),
  CONSTRAINT merchant_name_check CHECK (name <> '')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE merchant;
