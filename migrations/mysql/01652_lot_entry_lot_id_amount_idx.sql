-- +goose Up
-- With the amount in the key, the audit sums a lot's entries without looking for
-- each of them in the table.
CREATE INDEX lot_entry_lot_id_amount_idx ON lot_entry (lot_id, transfer_id, amount);

-- +goose Down
DROP INDEX lot_entry_lot_id_amount_idx ON lot_entry;
