-- +goose Up
-- The global search asks by the beginning of the name.
CREATE INDEX merchant_name_idx ON merchant (name, id);

-- +goose Down
DROP INDEX merchant_name_idx;
