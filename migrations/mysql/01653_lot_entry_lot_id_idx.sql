-- +goose Up
-- The key of 01652 serves what this one did.
DROP INDEX lot_entry_lot_id_idx ON lot_entry;

-- +goose Down
CREATE INDEX lot_entry_lot_id_idx ON lot_entry (lot_id);
