-- +goose Up
-- How many listed residents of a board have exactly so many points: a rank is a sum over distinct scores.
CREATE TABLE leaderboard_bucket (
  period_kind VARCHAR(8) NOT NULL,
  period_start CHAR(10) NOT NULL,
  region_id CHAR(26) NOT NULL,
  points BIGINT NOT NULL,
  residents BIGINT NOT NULL,
  PRIMARY KEY (period_kind, period_start, region_id, points),
  CONSTRAINT leaderboard_bucket_residents_check CHECK (residents >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE leaderboard_bucket;
