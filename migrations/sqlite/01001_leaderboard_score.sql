-- +goose Up
-- What a resident earned in one period and region. The foreign keys lead the two keys that are needed anyway.
CREATE TABLE leaderboard_score (
  region_id TEXT NOT NULL REFERENCES region (id),
  period_kind TEXT NOT NULL CHECK (period_kind IN ('week', 'month')),
  period_start TEXT NOT NULL,
  resident_id TEXT NOT NULL REFERENCES resident (id),
  points BIGINT NOT NULL CHECK (points >= 0),
  listed SMALLINT NOT NULL CHECK (listed IN (0, 1)),
  PRIMARY KEY (region_id, period_kind, period_start, resident_id)
);
-- +goose StatementBegin
CREATE INDEX leaderboard_score_board_idx ON leaderboard_score (period_kind, period_start, region_id, listed, points, resident_id);
CREATE INDEX leaderboard_score_resident_id_idx ON leaderboard_score (resident_id, period_kind, period_start);
-- +goose StatementEnd

-- +goose Down
DROP TABLE leaderboard_score;
