-- +goose Up
-- What a budget issued on a day and took back.
CREATE TABLE insight_budget_day (
  budget_id CHAR(26) NOT NULL,
  day CHAR(10) NOT NULL,
  issued_points BIGINT NOT NULL,
  taken_back_points BIGINT NOT NULL,
  PRIMARY KEY (budget_id, day),
  KEY insight_budget_day_day_idx (day),
  CONSTRAINT insight_budget_day_budget_id_fk FOREIGN KEY (budget_id) REFERENCES budget (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE insight_budget_day;
