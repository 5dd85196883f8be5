-- +goose Up
-- The global search asks by the beginning of the title.
CREATE INDEX benefit_title_idx ON benefit (title, id);

-- +goose Down
DROP INDEX benefit_title_idx ON benefit;
