-- +goose Up
-- A resident objects to an entry of the wallet. open_slot is 1 while it waits for an answer and
-- NULL afterwards: one open objection per entry; attempt bounds how often.
CREATE TABLE objection (
  id TEXT NOT NULL PRIMARY KEY,
  transfer_id TEXT NOT NULL REFERENCES transfer (id),
  resident_id TEXT NOT NULL REFERENCES resident (id),
  region_id TEXT NOT NULL REFERENCES region (id),
  attempt BIGINT NOT NULL,
  open_slot BIGINT NULL,
  status TEXT NOT NULL,
  text TEXT NOT NULL,
  answer TEXT NOT NULL DEFAULT '',
  answered_by TEXT NULL,
  answered_at BIGINT NULL,
  closed_at BIGINT NULL,
  idempotency_key TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT objection_status_check CHECK (status IN ('open', 'answered', 'closed')),
  CONSTRAINT objection_open_slot_check CHECK ((status = 'open') = (open_slot IS NOT NULL) AND (open_slot IS NULL OR open_slot = 1)),
  CONSTRAINT objection_answer_check CHECK (status <> 'answered' OR (answered_by IS NOT NULL AND answered_at IS NOT NULL)),
  CONSTRAINT objection_attempt_check CHECK (attempt BETWEEN 1 AND 3)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX objection_open_key ON objection (transfer_id, open_slot);
CREATE UNIQUE INDEX objection_attempt_key ON objection (transfer_id, attempt);
CREATE UNIQUE INDEX objection_resident_id_idempotency_key_key ON objection (resident_id, idempotency_key);
CREATE INDEX objection_resident_id_idx ON objection (resident_id, id);
CREATE INDEX objection_region_id_idx ON objection (region_id, status, id);
CREATE INDEX objection_status_idx ON objection (status, answered_at, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE objection;
