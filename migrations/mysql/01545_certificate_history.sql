-- +goose Up
-- The moves of a certificate. Append only.
CREATE TABLE certificate_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  certificate_id CHAR(26) NOT NULL,
  from_status VARCHAR(16) NOT NULL,
  to_status VARCHAR(16) NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  created_at BIGINT NOT NULL,
  KEY certificate_history_certificate_id_idx (certificate_id, id),
  CONSTRAINT certificate_history_certificate_id_fk FOREIGN KEY (certificate_id) REFERENCES certificate (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE certificate_history;
