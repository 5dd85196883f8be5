-- +goose Up
CREATE TABLE resident (
  id CHAR(26) NOT NULL PRIMARY KEY,
  openid VARCHAR(64) NULL,
  unionid VARCHAR(64) NULL,
  nickname VARCHAR(64) NOT NULL DEFAULT '',
  phone_cipher VARCHAR(255) NULL,
  phone_index CHAR(64) NULL,
  real_name_cipher VARCHAR(512) NULL,
  id_number_cipher VARCHAR(255) NULL,
  id_number_index CHAR(64) NULL,
  volunteer_number VARCHAR(32) NOT NULL,
  home_region_id CHAR(26) NULL,
  birth_year INT NULL,
  guardian_consented_at BIGINT NULL,
  status VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT NULL,
  UNIQUE KEY resident_openid_key (openid),
  UNIQUE KEY resident_phone_index_key (phone_index),
  UNIQUE KEY resident_id_number_index_key (id_number_index),
  UNIQUE KEY resident_volunteer_number_key (volunteer_number),
  KEY resident_home_region_id_idx (home_region_id, status),
  CONSTRAINT resident_home_region_id_fk FOREIGN KEY (home_region_id) REFERENCES region (id),
  CONSTRAINT resident_status_check CHECK (status IN ('active', 'frozen', 'deleted')),
  CONSTRAINT resident_birth_year_check CHECK (birth_year BETWEEN 1900 AND 2200),
  CONSTRAINT resident_phone_check CHECK ((phone_cipher IS NULL) = (phone_index IS NULL)),
  CONSTRAINT resident_id_number_check CHECK ((id_number_cipher IS NULL) = (id_number_index IS NULL)),
  CONSTRAINT resident_anonymous_check CHECK (status <> 'deleted' OR (openid IS NULL AND unionid IS NULL AND nickname = ''
    AND phone_cipher IS NULL AND real_name_cipher IS NULL AND id_number_cipher IS NULL AND home_region_id IS NULL
    AND birth_year IS NULL AND guardian_consented_at IS NULL AND deleted_at IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE resident;
