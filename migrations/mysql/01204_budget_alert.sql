-- +goose Up
-- Once per budget, threshold and limit: who raises the limit is warned again.
CREATE TABLE budget_alert (
  id CHAR(26) NOT NULL PRIMARY KEY,
  budget_id CHAR(26) NOT NULL,
  region_id CHAR(26) NOT NULL,
  threshold_percent BIGINT NOT NULL,
  issued_points BIGINT NOT NULL,
  limit_points BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY budget_alert_budget_id_key (budget_id, threshold_percent, limit_points),
  KEY budget_alert_region_id_idx (region_id, id),
  CONSTRAINT budget_alert_budget_id_fk FOREIGN KEY (budget_id) REFERENCES budget (id),
  CONSTRAINT budget_alert_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT budget_alert_threshold_check CHECK (threshold_percent BETWEEN 1 AND 100)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE budget_alert;
