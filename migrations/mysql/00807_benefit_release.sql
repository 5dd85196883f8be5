-- +goose Up
CREATE TABLE benefit_release (
  id CHAR(26) NOT NULL PRIMARY KEY,
  benefit_id CHAR(26) NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  idempotency_key VARCHAR(64) NOT NULL,
  input_hash CHAR(64) NOT NULL,
  created_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY benefit_release_benefit_id_idempotency_key_key (benefit_id, idempotency_key),
  KEY benefit_release_benefit_id_idx (benefit_id, ends_at),
  CONSTRAINT benefit_release_benefit_id_fk FOREIGN KEY (benefit_id) REFERENCES benefit (id),
  CONSTRAINT benefit_release_window_check CHECK (starts_at < ends_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE benefit_release;
