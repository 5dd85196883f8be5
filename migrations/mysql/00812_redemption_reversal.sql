-- +goose Up
CREATE TABLE redemption_reversal (
  id CHAR(26) NOT NULL PRIMARY KEY,
  redemption_id CHAR(26) NOT NULL,
  order_id CHAR(26) NOT NULL,
  merchant_id CHAR(26) NOT NULL,
  staff_id CHAR(26) NOT NULL,
  transfer_id CHAR(26) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY redemption_reversal_redemption_id_key (redemption_id),
  UNIQUE KEY redemption_reversal_order_id_key (order_id),
  UNIQUE KEY redemption_reversal_transfer_id_key (transfer_id),
  KEY redemption_reversal_merchant_id_idx (merchant_id, created_at, id),
  KEY redemption_reversal_staff_id_idx (staff_id, created_at),
  CONSTRAINT redemption_reversal_redemption_id_fk FOREIGN KEY (redemption_id) REFERENCES redemption (id),
  CONSTRAINT redemption_reversal_order_id_fk FOREIGN KEY (order_id) REFERENCES benefit_order (id),
  CONSTRAINT redemption_reversal_merchant_id_fk FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT redemption_reversal_staff_id_fk FOREIGN KEY (staff_id) REFERENCES staff (id),
  CONSTRAINT redemption_reversal_transfer_id_fk FOREIGN KEY (transfer_id) REFERENCES transfer (id),
  CONSTRAINT redemption_reversal_reason_check CHECK (reason <> '')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE redemption_reversal;
