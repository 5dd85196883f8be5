-- +goose Up
CREATE TABLE staff (
  id CHAR(26) NOT NULL PRIMARY KEY,
  username VARCHAR(32) NOT NULL,
  password_hash VARCHAR(255) NOT NULL,
  name VARCHAR(64) NOT NULL,
  openid VARCHAR(64) NULL,
  region_id CHAR(26) NOT NULL,
  status VARCHAR(16) NOT NULL,
  failed_logins INT NOT NULL DEFAULT 0,
  locked_until BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY staff_username_key (username),
  UNIQUE KEY staff_openid_key (openid),
  KEY staff_region_id_idx (region_id, id),
  CONSTRAINT staff_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT staff_status_check CHECK (status IN ('active', 'disabled')),
  CONSTRAINT staff_failed_logins_check CHECK (failed_logins >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE staff;
