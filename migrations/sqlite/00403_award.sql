-- +goose Up
CREATE TABLE award (
  id TEXT NOT NULL PRIMARY KEY,
  event_kind TEXT NOT NULL,
  event_id TEXT NOT NULL,
  resident_id TEXT NOT NULL REFERENCES resident (id),
  region_id TEXT NOT NULL REFERENCES region (id),
  object_id TEXT NOT NULL,
  day TEXT NOT NULL,
  minutes BIGINT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('posted', 'capped', 'budget_exhausted', 'no_rule')),
  points BIGINT NOT NULL,
  rule_id TEXT NULL REFERENCES policy_rule (id),
  rule_version BIGINT NULL,
  daily_slot BIGINT NULL,
  object_slot BIGINT NULL,
  journal_id TEXT NULL REFERENCES journal (id),
  evidence TEXT NOT NULL,
  occurred_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  CHECK (points >= 0 AND (status = 'posted') = (journal_id IS NOT NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX award_event_key ON award (event_kind, event_id);
CREATE UNIQUE INDEX award_daily_slot_key ON award (resident_id, event_kind, day, daily_slot);
CREATE UNIQUE INDEX award_object_slot_key ON award (resident_id, event_kind, object_id, object_slot);
CREATE UNIQUE INDEX award_journal_id_key ON award (journal_id);
CREATE INDEX award_region_id_idx ON award (region_id, status, id);
CREATE INDEX award_rule_id_idx ON award (rule_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE award;
