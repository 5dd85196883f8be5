-- +goose Up
CREATE TABLE staff (
  id TEXT NOT NULL PRIMARY KEY,
  username TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  name TEXT NOT NULL,
  openid TEXT NULL,
  region_id TEXT NOT NULL REFERENCES region (id),
  status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
  failed_logins INT NOT NULL DEFAULT 0 CHECK (failed_logins >= 0),
  locked_until BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE UNIQUE INDEX staff_username_key ON staff (username);
CREATE UNIQUE INDEX staff_openid_key ON staff (openid);
CREATE INDEX staff_region_id_idx ON staff (region_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE staff;
