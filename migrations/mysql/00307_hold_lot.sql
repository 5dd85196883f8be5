-- +goose Up
CREATE TABLE hold_lot (
  hold_id CHAR(26) NOT NULL,
  lot_id CHAR(26) NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (hold_id, lot_id),
  KEY hold_lot_lot_id_idx (lot_id),
  CONSTRAINT hold_lot_hold_id_fk FOREIGN KEY (hold_id) REFERENCES hold (id),
  CONSTRAINT hold_lot_lot_id_fk FOREIGN KEY (lot_id) REFERENCES lot (id),
  CONSTRAINT hold_lot_amount_check CHECK (amount > 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE hold_lot;
