-- +goose Up
-- One row per board: what staff see of it, and the list of boards for pruning.
CREATE TABLE leaderboard_total (
  period_kind TEXT NOT NULL,
  period_start TEXT NOT NULL,
  region_id TEXT NOT NULL,
  participants BIGINT NOT NULL,
  listed BIGINT NOT NULL,
  points BIGINT NOT NULL,
  PRIMARY KEY (period_kind, period_start, region_id),
  CHECK (listed BETWEEN 0 AND participants AND points >= 0)
);

-- +goose Down
DROP TABLE leaderboard_total;
