-- +goose Up
-- What a resident earned in one period and region. The foreign keys lead the two keys that are needed anyway.
CREATE TABLE leaderboard_score (
  region_id CHAR(26) NOT NULL,
  period_kind VARCHAR(8) NOT NULL,
  period_start CHAR(10) NOT NULL,
  resident_id CHAR(26) NOT NULL,
  points BIGINT NOT NULL,
  listed SMALLINT NOT NULL,
  PRIMARY KEY (region_id, period_kind, period_start, resident_id),
  KEY leaderboard_score_board_idx (period_kind, period_start, region_id, listed, points, resident_id),
  KEY leaderboard_score_resident_id_idx (resident_id, period_kind, period_start),
  CONSTRAINT leaderboard_score_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT leaderboard_score_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT leaderboard_score_period_kind_check CHECK (period_kind IN ('week', 'month')),
  CONSTRAINT leaderboard_score_points_check CHECK (points >= 0),
  CONSTRAINT leaderboard_score_listed_check CHECK (listed IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE leaderboard_score;
