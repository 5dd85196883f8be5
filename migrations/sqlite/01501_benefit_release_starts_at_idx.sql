-- +goose Up
CREATE INDEX benefit_release_starts_at_idx ON benefit_release (starts_at, id);

-- +goose Down
DROP INDEX benefit_release_starts_at_idx;
