-- +goose Up
CREATE TABLE staff_recovery_code (
  id TEXT NOT NULL PRIMARY KEY,
  staff_id TEXT NOT NULL REFERENCES staff (id),
  hash TEXT NOT NULL,
  used_at BIGINT NULL,
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE UNIQUE INDEX staff_recovery_code_staff_id_key ON staff_recovery_code (staff_id, hash);
-- +goose StatementEnd

-- +goose Down
DROP TABLE staff_recovery_code;
