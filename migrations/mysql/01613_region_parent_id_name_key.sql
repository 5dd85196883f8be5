-- +goose Up
ALTER TABLE region ADD UNIQUE KEY region_parent_id_name_key (parent_id, name, name_slot);

-- +goose Down
ALTER TABLE region DROP KEY region_parent_id_name_key;
