-- +goose Up
-- A resident objects to an entry of the wallet. open_slot is 1 while it waits for an answer and
-- NULL afterwards: one open objection per entry; attempt bounds how often.
CREATE TABLE objection (
  id CHAR(26) NOT NULL PRIMARY KEY,
  transfer_id CHAR(26) NOT NULL,
  resident_id CHAR(26) NOT NULL,
  region_id CHAR(26) NOT NULL,
  attempt BIGINT NOT NULL,
  open_slot BIGINT NULL,
  status VARCHAR(16) NOT NULL,
  text VARCHAR(1000) NOT NULL,
  answer VARCHAR(1000) NOT NULL DEFAULT '',
  answered_by VARCHAR(64) NULL,
  answered_at BIGINT NULL,
  closed_at BIGINT NULL,
  idempotency_key VARCHAR(64) NOT NULL,
  input_hash CHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY objection_open_key (transfer_id, open_slot),
  UNIQUE KEY objection_attempt_key (transfer_id, attempt),
  UNIQUE KEY objection_resident_id_idempotency_key_key (resident_id, idempotency_key),
  KEY objection_resident_id_idx (resident_id, id),
  KEY objection_region_id_idx (region_id, status, id),
  KEY objection_status_idx (status, answered_at, id),
  CONSTRAINT objection_transfer_id_fk FOREIGN KEY (transfer_id) REFERENCES transfer (id),
  CONSTRAINT objection_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT objection_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT objection_status_check CHECK (status IN ('open', 'answered', 'closed')),
  CONSTRAINT objection_open_slot_check CHECK ((status = 'open') = (open_slot IS NOT NULL) AND (open_slot IS NULL OR open_slot = 1)),
  CONSTRAINT objection_answer_check CHECK (status <> 'answered' OR (answered_by IS NOT NULL AND answered_at IS NOT NULL)),
  CONSTRAINT objection_attempt_check CHECK (attempt BETWEEN 1 AND 3)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE objection;
