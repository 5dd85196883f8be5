-- +goose Up
CREATE TABLE volunteer_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  object_type VARCHAR(16) NOT NULL,
  object_id CHAR(26) NOT NULL,
  from_status VARCHAR(24) NOT NULL,
  to_status VARCHAR(24) NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  created_at BIGINT NOT NULL,
  KEY volunteer_history_object_id_idx (object_id, id),
  CONSTRAINT volunteer_history_object_type_check CHECK (object_type IN ('activity', 'shift', 'signup', 'attendance', 'service_record'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE volunteer_history;
