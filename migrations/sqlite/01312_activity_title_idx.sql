-- +goose Up
-- The global search asks by the beginning of the title.
CREATE INDEX activity_title_idx ON activity (title, id);

-- +goose Down
DROP INDEX activity_title_idx;
