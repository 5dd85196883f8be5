-- +goose Up
-- The moves of a correction. Append only.
CREATE TABLE service_correction_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  correction_id CHAR(26) NOT NULL,
  from_status VARCHAR(16) NOT NULL,
  to_status VARCHAR(16) NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  created_at BIGINT NOT NULL,
  KEY service_correction_history_correction_id_idx (correction_id, id),
  CONSTRAINT service_correction_history_correction_id_fk FOREIGN KEY (correction_id) REFERENCES service_correction (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE service_correction_history;
