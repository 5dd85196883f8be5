-- +goose Up
-- Once per budget, threshold and limit: who raises the limit is warned again.
CREATE TABLE budget_alert (
  id TEXT NOT NULL PRIMARY KEY,
  budget_id TEXT NOT NULL REFERENCES budget (id),
  region_id TEXT NOT NULL REFERENCES region (id),
  threshold_percent BIGINT NOT NULL,
  issued_points BIGINT NOT NULL,
  limit_points BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT budget_alert_threshold_check CHECK (threshold_percent BETWEEN 1 AND 100)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX budget_alert_budget_id_key ON budget_alert (budget_id, threshold_percent, limit_points);
CREATE INDEX budget_alert_region_id_idx ON budget_alert (region_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE budget_alert;
