-- +goose Up
-- Siblings could share a name. The oldest keeps it; the others stay as they are, beside the rule, until somebody renames them.
UPDATE region SET name_slot = id WHERE id IN (SELECT id FROM (
  SELECT younger.id FROM region younger JOIN region older
    ON older.parent_id = younger.parent_id AND older.name = younger.name AND older.id < younger.id) shared);

-- +goose Down
UPDATE region SET name_slot = '' WHERE closed_at IS NULL;
