-- +goose Up
-- Which recordings are used: asked each night.
CREATE INDEX article_audio_key_idx ON article (audio_key);

-- +goose Down
DROP INDEX article_audio_key_idx;
