-- +goose Up
-- What a budget issued on a day and took back.
CREATE TABLE insight_budget_day (
  budget_id TEXT NOT NULL REFERENCES budget (id),
  day TEXT NOT NULL,
  issued_points BIGINT NOT NULL,
  taken_back_points BIGINT NOT NULL,
  PRIMARY KEY (budget_id, day)
);

CREATE INDEX insight_budget_day_day_idx ON insight_budget_day (day);

-- +goose Down
DROP TABLE insight_budget_day;
