-- +goose Up
-- How somebody wants to see a list again. slot bounds how many there are; one of them opens the list.
CREATE TABLE saved_view (
  id TEXT NOT NULL PRIMARY KEY,
  staff_id TEXT NOT NULL REFERENCES staff (id),
  list_name TEXT NOT NULL,
  slot BIGINT NOT NULL,
  name TEXT NOT NULL,
  default_slot BIGINT NULL,
  filters TEXT NOT NULL,
  column_keys TEXT NOT NULL,
  sort_key TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT saved_view_slot_check CHECK (slot BETWEEN 1 AND 20),
  CONSTRAINT saved_view_default_slot_check CHECK (default_slot IS NULL OR default_slot = 1)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX saved_view_slot_key ON saved_view (staff_id, list_name, slot);
CREATE UNIQUE INDEX saved_view_name_key ON saved_view (staff_id, list_name, name);
CREATE UNIQUE INDEX saved_view_default_slot_key ON saved_view (staff_id, list_name, default_slot);
-- +goose StatementEnd

-- +goose Down
DROP TABLE saved_view;
