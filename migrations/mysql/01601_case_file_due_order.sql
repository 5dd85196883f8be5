-- +goose Up
-- What a list is sorted by must not be NULL: whatever waits for nothing comes after all that does.
ALTER TABLE case_file ADD COLUMN due_order BIGINT GENERATED ALWAYS AS (COALESCE(due_at, 9223372036854775807)) VIRTUAL;

-- +goose Down
ALTER TABLE case_file DROP COLUMN due_order;
