-- +goose Up
CREATE UNIQUE INDEX region_parent_id_name_key ON region (parent_id, name, name_slot);

-- +goose Down
DROP INDEX region_parent_id_name_key;
