-- +goose Up
-- The roles under which a file was made: who has lost one may not have it any more.
ALTER TABLE export_job ADD COLUMN made_under VARCHAR(4000) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE export_job DROP COLUMN made_under;
