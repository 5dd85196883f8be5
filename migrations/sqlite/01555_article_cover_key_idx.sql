-- +goose Up
-- Which covers are used: asked each night.
CREATE INDEX article_cover_key_idx ON article (cover_key);

-- +goose Down
DROP INDEX article_cover_key_idx;
