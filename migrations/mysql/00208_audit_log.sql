-- +goose Up
CREATE TABLE audit_log (
  id CHAR(26) NOT NULL PRIMARY KEY,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  action VARCHAR(64) NOT NULL,
  object_type VARCHAR(32) NOT NULL,
  object_id VARCHAR(64) NOT NULL,
  region_id CHAR(26) NULL,
  reason VARCHAR(255) NOT NULL DEFAULT '',
  detail TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  KEY audit_log_region_id_idx (region_id, id),
  KEY audit_log_actor_id_idx (actor_id, id),
  KEY audit_log_object_id_idx (object_id, id),
  CONSTRAINT audit_log_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT audit_log_actor_kind_check CHECK (actor_kind IN ('resident', 'staff', 'system'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE audit_log;
