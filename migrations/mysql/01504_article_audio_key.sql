-- +goose Up
ALTER TABLE article ADD COLUMN audio_key VARCHAR(64) NULL;

-- +goose Down
ALTER TABLE article DROP COLUMN audio_key;
