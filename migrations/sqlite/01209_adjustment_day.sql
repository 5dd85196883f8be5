-- +goose Up
-- What an operator has proposed on a day.
CREATE TABLE adjustment_day (
  actor_id TEXT NOT NULL,
  day TEXT NOT NULL,
  used_points BIGINT NOT NULL,
  limit_points BIGINT NOT NULL,
  PRIMARY KEY (actor_id, day),
  CONSTRAINT adjustment_day_used_check CHECK (used_points >= 0 AND used_points <= limit_points)
);

-- +goose Down
DROP TABLE adjustment_day;
