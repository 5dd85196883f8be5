-- +goose Up
CREATE TABLE pii_access (
  id CHAR(26) NOT NULL PRIMARY KEY,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  resident_id CHAR(26) NULL,
  field VARCHAR(32) NOT NULL,
  reason VARCHAR(255) NOT NULL,
  created_at BIGINT NOT NULL,
  KEY pii_access_actor_id_idx (actor_id, id),
  KEY pii_access_resident_id_idx (resident_id, id),
  CONSTRAINT pii_access_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT pii_access_field_check CHECK (field IN ('phone', 'real_name')),
  CONSTRAINT pii_access_reason_check CHECK (reason <> '')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE pii_access;
