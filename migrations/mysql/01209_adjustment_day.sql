-- +goose Up
-- What an operator has proposed on a day.
CREATE TABLE adjustment_day (
  actor_id VARCHAR(64) NOT NULL,
  day CHAR(10) NOT NULL,
  used_points BIGINT NOT NULL,
  limit_points BIGINT NOT NULL,
  PRIMARY KEY (actor_id, day),
  CONSTRAINT adjustment_day_used_check CHECK (used_points >= 0 AND used_points <= limit_points)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE adjustment_day;
