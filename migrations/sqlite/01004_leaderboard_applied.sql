-- +goose Up
-- The awards of the overlap window that are in the scores already: a second run leaves them out.
CREATE TABLE leaderboard_applied (
  award_id TEXT NOT NULL PRIMARY KEY REFERENCES award (id)
);

-- +goose Down
DROP TABLE leaderboard_applied;
