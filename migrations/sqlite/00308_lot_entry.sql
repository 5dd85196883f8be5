-- +goose Up
CREATE TABLE lot_entry (
  transfer_id TEXT NOT NULL REFERENCES transfer (id),
  lot_id TEXT NOT NULL REFERENCES lot (id),
  amount BIGINT NOT NULL CHECK (amount <> 0),
  PRIMARY KEY (transfer_id, lot_id)
);
-- +goose StatementBegin
CREATE INDEX lot_entry_lot_id_idx ON lot_entry (lot_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE lot_entry;
