-- +goose Up
CREATE TABLE staff_recovery_code (
  id CHAR(26) NOT NULL PRIMARY KEY,
  staff_id CHAR(26) NOT NULL,
  hash CHAR(64) NOT NULL,
  used_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY staff_recovery_code_staff_id_key (staff_id, hash),
  CONSTRAINT staff_recovery_code_staff_id_fk FOREIGN KEY (staff_id) REFERENCES staff (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE staff_recovery_code;
