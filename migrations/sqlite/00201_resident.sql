-- +goose Up
CREATE TABLE resident (
  id TEXT NOT NULL PRIMARY KEY,
  openid TEXT NULL,
  unionid TEXT NULL,
  nickname TEXT NOT NULL DEFAULT '',
  phone_cipher TEXT NULL,
  phone_index TEXT NULL,
  real_name_cipher TEXT NULL,
  id_number_cipher TEXT NULL,
  id_number_index TEXT NULL,
  volunteer_number TEXT NOT NULL,
  home_region_id TEXT NULL REFERENCES region (id),
  birth_year INT NULL CHECK (birth_year BETWEEN 1900 AND 2200),
  guardian_consented_at BIGINT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'frozen', 'deleted')),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT NULL,
  CONSTRAINT resident_phone_check CHECK ((phone_cipher IS NULL) = (phone_index IS NULL)),
  CONSTRAINT resident_id_number_check CHECK ((id_number_cipher IS NULL) = (id_number_index IS NULL)),
  CONSTRAINT resident_anonymous_check CHECK (status <> 'deleted' OR (openid IS NULL AND unionid IS NULL AND nickname = ''
    AND phone_cipher IS NULL AND real_name_cipher IS NULL AND id_number_cipher IS NULL AND home_region_id IS NULL
    AND birth_year IS NULL AND guardian_consented_at IS NULL AND deleted_at IS NOT NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX resident_openid_key ON resident (openid);
CREATE UNIQUE INDEX resident_phone_index_key ON resident (phone_index);
CREATE UNIQUE INDEX resident_id_number_index_key ON resident (id_number_index);
CREATE UNIQUE INDEX resident_volunteer_number_key ON resident (volunteer_number);
CREATE INDEX resident_home_region_id_idx ON resident (home_region_id, status);
-- +goose StatementEnd

-- +goose Down
DROP TABLE resident;
