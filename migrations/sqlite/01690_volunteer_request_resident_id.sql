-- +goose Up
-- Whom an answer is about: it repeats what the resident wrote, and goes with the account.
ALTER TABLE volunteer_request ADD COLUMN resident_id TEXT NULL;

-- +goose Down
ALTER TABLE volunteer_request DROP COLUMN resident_id;
