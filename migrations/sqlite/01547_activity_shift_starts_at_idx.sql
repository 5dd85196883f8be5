-- +goose Up
CREATE INDEX activity_shift_starts_at_idx ON activity_shift (starts_at, id);

-- +goose Down
DROP INDEX activity_shift_starts_at_idx;
