-- +goose Up
CREATE TABLE case_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  case_id CHAR(26) NOT NULL,
  seq BIGINT NOT NULL,
  move VARCHAR(32) NOT NULL,
  from_status VARCHAR(16) NULL,
  to_status VARCHAR(16) NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  reason VARCHAR(500) NOT NULL DEFAULT '',
  note VARCHAR(500) NOT NULL DEFAULT '',
  idempotency_key VARCHAR(64) NULL,
  input_hash VARCHAR(64) NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  UNIQUE KEY case_history_case_id_seq_key (case_id, seq),
  UNIQUE KEY case_history_case_id_idempotency_key_key (case_id, idempotency_key),
  KEY case_history_actor_id_idx (actor_id, id),
  CONSTRAINT case_history_case_id_fk FOREIGN KEY (case_id) REFERENCES case_file (id),
  CONSTRAINT case_history_actor_kind_check CHECK (actor_kind IN ('resident', 'staff', 'system')),
  CONSTRAINT case_history_seq_check CHECK (seq >= 1 AND (seq = 1) = (from_status IS NULL)),
  CONSTRAINT case_history_to_status_check CHECK (to_status IN ('submitted', 'accepted', 'dispatched', 'handling', 'handled', 'reopened', 'confirmed', 'closed', 'rejected', 'withdrawn'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE case_history;
