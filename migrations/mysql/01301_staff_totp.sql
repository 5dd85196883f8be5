-- +goose Up
CREATE TABLE staff_totp (
  staff_id CHAR(26) NOT NULL PRIMARY KEY,
  secret_cipher VARCHAR(255) NOT NULL,
  last_step BIGINT NOT NULL DEFAULT 0,
  confirmed_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT staff_totp_staff_id_fk FOREIGN KEY (staff_id) REFERENCES staff (id),
  CONSTRAINT staff_totp_last_step_check CHECK (last_step >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE staff_totp;
