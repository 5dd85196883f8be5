-- +goose Up
-- name_slot is '' for the one open child of its parent that holds its name, else the own id: a closed region gives its name up.
ALTER TABLE region ADD COLUMN name_slot TEXT NOT NULL DEFAULT '' CHECK (name_slot IN ('', id) AND (closed_at IS NULL OR name_slot <> ''));

-- +goose Down
ALTER TABLE region DROP COLUMN name_slot;
