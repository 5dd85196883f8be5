-- +goose Up
-- Points by hand: one operator proposes, another approves. scope_region_id is the region of the grant
-- that the proposer used: who approves holds one over that region or above it.
CREATE TABLE adjustment (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  resident_id TEXT NOT NULL REFERENCES resident (id),
  region_id TEXT NOT NULL REFERENCES region (id),
  scope_region_id TEXT NOT NULL REFERENCES region (id),
  amount BIGINT NOT NULL,
  budget_id TEXT NULL REFERENCES budget (id),
  expires_on TEXT NULL,
  reverses_transfer_id TEXT NULL REFERENCES transfer (id),
  objection_id TEXT NULL REFERENCES objection (id),
  reason_code TEXT NOT NULL,
  reason_text TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  decide_by BIGINT NOT NULL,
  decided_by TEXT NULL,
  decided_at BIGINT NULL,
  decision_reason TEXT NOT NULL DEFAULT '',
  decision_key TEXT NULL,
  decision_hash TEXT NULL,
  journal_id TEXT NULL REFERENCES journal (id),
  transfer_id TEXT NULL REFERENCES transfer (id),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT adjustment_kind_check CHECK (kind IN ('credit', 'debit', 'reverse')),
  CONSTRAINT adjustment_amount_check CHECK (amount > 0),
  CONSTRAINT adjustment_status_check CHECK (status IN ('proposed', 'approved', 'rejected', 'expired')),
  CONSTRAINT adjustment_target_check CHECK ((kind = 'reverse') = (reverses_transfer_id IS NOT NULL) AND (kind = 'reverse') = (budget_id IS NULL) AND (kind = 'credit') = (expires_on IS NOT NULL)),
  CONSTRAINT adjustment_four_eyes_check CHECK (decided_by IS NULL OR decided_by <> proposed_by),
  CONSTRAINT adjustment_decision_check CHECK ((status = 'approved') = (journal_id IS NOT NULL) AND (status IN ('approved', 'rejected')) = (decided_by IS NOT NULL)),
  CONSTRAINT adjustment_reason_check CHECK (reason_code IN ('wrong_award', 'missed_award', 'duplicate', 'compensation', 'fraud', 'test', 'other'))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX adjustment_proposed_by_idempotency_key_key ON adjustment (proposed_by, idempotency_key);
CREATE UNIQUE INDEX adjustment_decided_by_decision_key_key ON adjustment (decided_by, decision_key);
CREATE UNIQUE INDEX adjustment_journal_id_key ON adjustment (journal_id);
CREATE UNIQUE INDEX adjustment_transfer_id_key ON adjustment (transfer_id);
CREATE INDEX adjustment_region_id_idx ON adjustment (region_id, status, id);
CREATE INDEX adjustment_status_idx ON adjustment (status, decide_by, id);
CREATE INDEX adjustment_resident_id_idx ON adjustment (resident_id, id);
CREATE INDEX adjustment_scope_region_id_idx ON adjustment (scope_region_id);
CREATE INDEX adjustment_budget_id_idx ON adjustment (budget_id);
CREATE INDEX adjustment_reverses_transfer_id_idx ON adjustment (reverses_transfer_id);
CREATE INDEX adjustment_objection_id_idx ON adjustment (objection_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE adjustment;
