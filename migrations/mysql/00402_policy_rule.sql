-- +goose Up
CREATE TABLE policy_rule (
  id CHAR(26) NOT NULL PRIMARY KEY,
  region_id CHAR(26) NOT NULL,
  event_kind VARCHAR(32) NOT NULL,
  version BIGINT NOT NULL,
  budget_id CHAR(26) NOT NULL,
  points BIGINT NOT NULL,
  per_minutes BIGINT NOT NULL,
  max_points BIGINT NOT NULL,
  daily_cap BIGINT NOT NULL,
  object_cap BIGINT NOT NULL,
  expiry VARCHAR(32) NOT NULL,
  expiry_days BIGINT NOT NULL,
  active_from BIGINT NOT NULL,
  retired_at BIGINT NULL,
  note VARCHAR(200) NOT NULL DEFAULT '',
  created_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY policy_rule_version_key (region_id, event_kind, version),
  KEY policy_rule_budget_id_idx (budget_id),
  CONSTRAINT policy_rule_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT policy_rule_budget_id_fk FOREIGN KEY (budget_id) REFERENCES budget (id),
  CONSTRAINT policy_rule_points_check CHECK (points > 0 AND max_points >= points),
  CONSTRAINT policy_rule_caps_check CHECK (per_minutes >= 0 AND daily_cap > 0 AND object_cap > 0),
  CONSTRAINT policy_rule_expiry_check CHECK (expiry IN ('end_of_next_year', 'days') AND expiry_days >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE policy_rule;
