-- +goose Up
-- One correction of one service record: asked for by the resident, or proposed by an organizer, and decided by
-- another person. What it proposes is what the new record will say.
CREATE TABLE service_correction (
  id CHAR(26) NOT NULL PRIMARY KEY,
  record_id CHAR(26) NOT NULL,
  resident_id CHAR(26) NOT NULL,
  region_id CHAR(26) NOT NULL,
  attempt BIGINT NOT NULL,
  open_slot BIGINT NULL,
  state VARCHAR(16) NOT NULL,
  asked_text VARCHAR(200) NOT NULL,
  kind VARCHAR(16) NULL,
  started_at BIGINT NULL,
  ended_at BIGINT NULL,
  minutes BIGINT NULL,
  quality_rating BIGINT NULL,
  reason VARCHAR(200) NOT NULL,
  proposed_by VARCHAR(64) NULL,
  proposer_name VARCHAR(64) NOT NULL,
  proposed_at BIGINT NULL,
  decided_by VARCHAR(64) NULL,
  decided_at BIGINT NULL,
  decision_reason VARCHAR(200) NOT NULL,
  result_record_id CHAR(26) NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY service_correction_record_id_open_key (record_id, open_slot),
  UNIQUE KEY service_correction_record_id_attempt_key (record_id, attempt),
  UNIQUE KEY service_correction_result_record_id_key (result_record_id),
  KEY service_correction_region_id_idx (region_id, state, id),
  KEY service_correction_resident_id_idx (resident_id, id),
  CONSTRAINT service_correction_record_id_fk FOREIGN KEY (record_id) REFERENCES service_record (id),
  CONSTRAINT service_correction_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT service_correction_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT service_correction_result_record_id_fk FOREIGN KEY (result_record_id) REFERENCES service_record (id),
  CONSTRAINT service_correction_state_check CHECK (state IN ('asked', 'proposed', 'approved', 'rejected', 'declined', 'withdrawn')),
  CONSTRAINT service_correction_kind_check CHECK (kind IN ('change', 'void') AND proposed_by IS NOT NULL AND proposed_at IS NOT NULL OR kind IS NULL AND proposed_by IS NULL AND state IN ('asked', 'declined', 'withdrawn')),
  CONSTRAINT service_correction_change_check CHECK ((kind IS NOT NULL AND kind = 'change') = (minutes IS NOT NULL) AND (minutes IS NULL OR (started_at < ended_at AND minutes > 0 AND minutes * 60000000 <= ended_at - started_at))),
  CONSTRAINT service_correction_open_slot_check CHECK ((open_slot IS NOT NULL AND open_slot = 1) = (state IN ('asked', 'proposed'))),
  CONSTRAINT service_correction_attempt_check CHECK (attempt BETWEEN 1 AND 9),
  CONSTRAINT service_correction_second_person_check CHECK (decided_by IS NULL OR proposed_by IS NULL OR decided_by <> proposed_by),
  CONSTRAINT service_correction_decided_check CHECK ((decided_by IS NOT NULL) = (state IN ('approved', 'rejected', 'declined'))),
  CONSTRAINT service_correction_quality_rating_check CHECK (quality_rating IS NULL OR quality_rating BETWEEN 1 AND 5)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE service_correction;
