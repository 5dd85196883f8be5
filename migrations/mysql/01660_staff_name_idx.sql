-- +goose Up
-- An auditor asks for somebody by name.
CREATE INDEX staff_name_idx ON staff (name, id);

-- +goose Down
DROP INDEX staff_name_idx ON staff;
