-- +goose Up
-- One correction of one service record: asked for by the resident, or proposed by an organizer, and decided by
-- another person. What it proposes is what the new record will say.
CREATE TABLE service_correction (
  id TEXT NOT NULL PRIMARY KEY,
  record_id TEXT NOT NULL REFERENCES service_record (id),
  resident_id TEXT NOT NULL REFERENCES resident (id),
  region_id TEXT NOT NULL REFERENCES region (id),
  attempt BIGINT NOT NULL,
  open_slot BIGINT NULL,
  state TEXT NOT NULL,
  asked_text TEXT NOT NULL,
  kind TEXT NULL,
  started_at BIGINT NULL,
  ended_at BIGINT NULL,
  minutes BIGINT NULL,
  quality_rating BIGINT NULL,
  reason TEXT NOT NULL,
  proposed_by TEXT NULL,
  proposer_name TEXT NOT NULL,
  proposed_at BIGINT NULL,
  decided_by TEXT NULL,
  decided_at BIGINT NULL,
  decision_reason TEXT NOT NULL,
  result_record_id TEXT NULL REFERENCES service_record (id),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CHECK (state IN ('asked', 'proposed', 'approved', 'rejected', 'declined', 'withdrawn')),
  CHECK (kind IN ('change', 'void') AND proposed_by IS NOT NULL AND proposed_at IS NOT NULL OR kind IS NULL AND proposed_by IS NULL AND state IN ('asked', 'declined', 'withdrawn')),
  CHECK ((kind IS NOT NULL AND kind = 'change') = (minutes IS NOT NULL) AND (minutes IS NULL OR (started_at < ended_at AND minutes > 0 AND minutes * 60000000 <= ended_at - started_at))),
  CHECK ((open_slot IS NOT NULL AND open_slot = 1) = (state IN ('asked', 'proposed'))),
  CHECK (attempt BETWEEN 1 AND 9),
  CHECK (decided_by IS NULL OR proposed_by IS NULL OR decided_by <> proposed_by),
  CHECK ((decided_by IS NOT NULL) = (state IN ('approved', 'rejected', 'declined'))),
  CHECK (quality_rating IS NULL OR quality_rating BETWEEN 1 AND 5)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX service_correction_record_id_open_key ON service_correction (record_id, open_slot);
CREATE UNIQUE INDEX service_correction_record_id_attempt_key ON service_correction (record_id, attempt);
CREATE UNIQUE INDEX service_correction_result_record_id_key ON service_correction (result_record_id);
CREATE INDEX service_correction_region_id_idx ON service_correction (region_id, state, id);
CREATE INDEX service_correction_resident_id_idx ON service_correction (resident_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE service_correction;
