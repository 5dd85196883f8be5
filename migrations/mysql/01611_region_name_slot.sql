-- +goose Up
-- name_slot is '' for the one open child of its parent that holds its name, else the own id: a closed region gives its name up.
ALTER TABLE region
  ADD COLUMN name_slot VARCHAR(26) NOT NULL DEFAULT '',
  ADD CONSTRAINT region_name_slot_check CHECK (name_slot IN ('', id) AND (closed_at IS NULL OR name_slot <> ''));

-- +goose Down
ALTER TABLE region
  DROP CONSTRAINT region_name_slot_check,
  DROP COLUMN name_slot;
