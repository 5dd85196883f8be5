-- +goose Up
-- One row per board: what staff see of it, and the list of boards for pruning.
CREATE TABLE leaderboard_total (
  period_kind VARCHAR(8) NOT NULL,
  period_start CHAR(10) NOT NULL,
  region_id CHAR(26) NOT NULL,
  participants BIGINT NOT NULL,
  listed BIGINT NOT NULL,
  points BIGINT NOT NULL,
  PRIMARY KEY (period_kind, period_start, region_id),
  CONSTRAINT leaderboard_total_counts_check CHECK (listed BETWEEN 0 AND participants AND points >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE leaderboard_total;
