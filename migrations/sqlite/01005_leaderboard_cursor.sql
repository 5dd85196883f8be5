-- +goose Up
-- How far a job has read. Its two rows are also the one lock of everything that writes leaderboards.
CREATE TABLE leaderboard_cursor (
  name TEXT NOT NULL PRIMARY KEY CHECK (name IN ('awards', 'consents')),
  seen_id TEXT NOT NULL,
  floor_id TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  CHECK (floor_id <= seen_id)
);

-- +goose Down
DROP TABLE leaderboard_cursor;
