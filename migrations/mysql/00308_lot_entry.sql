-- +goose Up
CREATE TABLE lot_entry (
  transfer_id CHAR(26) NOT NULL,
  lot_id CHAR(26) NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (transfer_id, lot_id),
  KEY lot_entry_lot_id_idx (lot_id),
  CONSTRAINT lot_entry_transfer_id_fk FOREIGN KEY (transfer_id) REFERENCES transfer (id),
  CONSTRAINT lot_entry_lot_id_fk FOREIGN KEY (lot_id) REFERENCES lot (id),
  CONSTRAINT lot_entry_amount_check CHECK (amount <> 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE lot_entry;
