-- +goose Up
-- The awards of the overlap window that are in the scores already: a second run leaves them out.
CREATE TABLE leaderboard_applied (
  award_id CHAR(26) NOT NULL PRIMARY KEY,
  CONSTRAINT leaderboard_applied_award_id_fk FOREIGN KEY (award_id) REFERENCES award (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE leaderboard_applied;
