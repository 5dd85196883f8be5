-- +goose Up
ALTER TABLE article ADD COLUMN audio_key TEXT NULL;

-- +goose Down
ALTER TABLE article DROP COLUMN audio_key;
