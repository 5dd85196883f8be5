-- +goose Up
CREATE TABLE staff_totp (
  staff_id TEXT NOT NULL PRIMARY KEY REFERENCES staff (id),
  secret_cipher TEXT NOT NULL,
  last_step BIGINT NOT NULL DEFAULT 0 CHECK (last_step >= 0),
  confirmed_at BIGINT NULL,
  created_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE staff_totp;
