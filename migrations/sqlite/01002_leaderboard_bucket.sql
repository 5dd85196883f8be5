-- +goose Up
-- How many listed residents of a board have exactly so many points: a rank is a sum over distinct scores.
CREATE TABLE leaderboard_bucket (
  period_kind TEXT NOT NULL,
  period_start TEXT NOT NULL,
  region_id TEXT NOT NULL,
  points BIGINT NOT NULL,
  residents BIGINT NOT NULL CHECK (residents >= 0),
  PRIMARY KEY (period_kind, period_start, region_id, points)
);

-- +goose Down
DROP TABLE leaderboard_bucket;
