-- +goose Up
CREATE TABLE award (
  id CHAR(26) NOT NULL PRIMARY KEY,
  event_kind VARCHAR(32) NOT NULL,
  event_id VARCHAR(64) NOT NULL,
  resident_id CHAR(26) NOT NULL,
  region_id CHAR(26) NOT NULL,
  object_id VARCHAR(64) NOT NULL,
  day CHAR(10) NOT NULL,
  minutes BIGINT NOT NULL,
  status VARCHAR(32) NOT NULL,
  points BIGINT NOT NULL,
  rule_id CHAR(26) NULL,
  rule_version BIGINT NULL,
  daily_slot BIGINT NULL,
  object_slot BIGINT NULL,
  journal_id CHAR(26) NULL,
  evidence TEXT NOT NULL,
  occurred_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY award_event_key (event_kind, event_id),
  UNIQUE KEY award_daily_slot_key (resident_id, event_kind, day, daily_slot),
  UNIQUE KEY award_object_slot_key (resident_id, event_kind, object_id, object_slot),
  UNIQUE KEY award_journal_id_key (journal_id),
  KEY award_region_id_idx (region_id, status, id),
  KEY award_rule_id_idx (rule_id),
  CONSTRAINT award_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT award_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT award_rule_id_fk FOREIGN KEY (rule_id) REFERENCES policy_rule (id),
  CONSTRAINT award_journal_id_fk FOREIGN KEY (journal_id) REFERENCES journal (id),
  CONSTRAINT award_status_check CHECK (status IN ('posted', 'capped', 'budget_exhausted', 'no_rule')),
  CONSTRAINT award_points_check CHECK (points >= 0 AND (status = 'posted') = (journal_id IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE award;
