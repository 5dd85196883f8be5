-- +goose Up
-- Completing a reading looks for an answered quiz only where there is one.
ALTER TABLE article ADD COLUMN question_count BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE article DROP COLUMN question_count;
