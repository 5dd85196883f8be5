-- +goose Up
-- Since when a file that nothing uses waits to be deleted.
ALTER TABLE media ADD COLUMN discarded_at BIGINT NULL;

-- +goose Down
ALTER TABLE media DROP COLUMN discarded_at;
