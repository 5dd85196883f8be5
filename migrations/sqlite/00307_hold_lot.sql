-- +goose Up
CREATE TABLE hold_lot (
  hold_id TEXT NOT NULL REFERENCES hold (id),
  lot_id TEXT NOT NULL REFERENCES lot (id),
  amount BIGINT NOT NULL CHECK (amount > 0),
  PRIMARY KEY (hold_id, lot_id)
);
-- +goose StatementBegin
CREATE INDEX hold_lot_lot_id_idx ON hold_lot (lot_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE hold_lot;
