-- +goose Up
-- How far a job has read. Its two rows are also the one lock of everything that writes leaderboards.
CREATE TABLE leaderboard_cursor (
  name VARCHAR(16) NOT NULL PRIMARY KEY,
  seen_id CHAR(26) NOT NULL,
  floor_id CHAR(26) NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT leaderboard_cursor_name_check CHECK (name IN ('awards', 'consents')),
  CONSTRAINT leaderboard_cursor_floor_check CHECK (floor_id <= seen_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE leaderboard_cursor;
