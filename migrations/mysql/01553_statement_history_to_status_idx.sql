-- +goose Up
-- The disputes among all moves, newest first.
CREATE INDEX statement_history_to_status_idx ON statement_history (to_status, id);

-- +goose Down
DROP INDEX statement_history_to_status_idx ON statement_history;
