-- +goose Up
CREATE TABLE policy_rule (
  id TEXT NOT NULL PRIMARY KEY,
  region_id TEXT NOT NULL REFERENCES region (id),
  event_kind TEXT NOT NULL,
  version BIGINT NOT NULL,
  budget_id TEXT NOT NULL REFERENCES budget (id),
  points BIGINT NOT NULL,
  per_minutes BIGINT NOT NULL,
  max_points BIGINT NOT NULL,
  daily_cap BIGINT NOT NULL,
  object_cap BIGINT NOT NULL,
  expiry TEXT NOT NULL CHECK (expiry IN ('end_of_next_year', 'days')),
  expiry_days BIGINT NOT NULL CHECK (expiry_days >= 0),
  active_from BIGINT NOT NULL,
  retired_at BIGINT NULL,
  note TEXT NOT NULL DEFAULT '',
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  CHECK (points > 0 AND max_points >= points),
  CHECK (per_minutes >= 0 AND daily_cap > 0 AND object_cap > 0)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX policy_rule_version_key ON policy_rule (region_id, event_kind, version);
CREATE INDEX policy_rule_budget_id_idx ON policy_rule (budget_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE policy_rule;
