-- +goose Up
-- slot counts the live orders of one resident for one benefit: the limit per person is
-- the unique key over it. It is NULL again once the order has been given up.
CREATE TABLE benefit_order (
  id CHAR(26) NOT NULL PRIMARY KEY,
  resident_id CHAR(26) NOT NULL,
  benefit_id CHAR(26) NOT NULL,
  release_id CHAR(26) NOT NULL,
  merchant_id CHAR(26) NOT NULL,
  points BIGINT NOT NULL,
  cash_fen BIGINT NOT NULL,
  subsidy_fen BIGINT NOT NULL,
  slot BIGINT NULL,
  status VARCHAR(16) NOT NULL,
  hold_id CHAR(26) NOT NULL,
  idempotency_key VARCHAR(64) NOT NULL,
  input_hash CHAR(64) NOT NULL,
  code_locator BIGINT NOT NULL,
  redeem_until BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY benefit_order_hold_id_key (hold_id),
  UNIQUE KEY benefit_order_resident_id_idempotency_key_key (resident_id, idempotency_key),
  UNIQUE KEY benefit_order_slot_key (benefit_id, resident_id, slot),
  KEY benefit_order_resident_id_idx (resident_id, id),
  KEY benefit_order_release_id_idx (release_id, status),
  KEY benefit_order_merchant_id_idx (merchant_id, id),
  KEY benefit_order_due_idx (status, redeem_until),
  KEY benefit_order_code_locator_idx (code_locator, id),
  CONSTRAINT benefit_order_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT benefit_order_benefit_id_fk FOREIGN KEY (benefit_id) REFERENCES benefit (id),
  CONSTRAINT benefit_order_release_id_fk FOREIGN KEY (release_id) REFERENCES benefit_release (id),
  CONSTRAINT benefit_order_merchant_id_fk FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT benefit_order_hold_id_fk FOREIGN KEY (hold_id) REFERENCES hold (id),
  CONSTRAINT benefit_order_status_check CHECK (status IN ('held', 'redeemed', 'cancelled', 'expired', 'reversed')),
  CONSTRAINT benefit_order_amount_check CHECK (points > 0 AND cash_fen >= 0 AND subsidy_fen >= 0),
  CONSTRAINT benefit_order_slot_check CHECK ((status IN ('held', 'redeemed')) = (slot IS NOT NULL) AND (slot IS NULL OR slot >= 1)),
  CONSTRAINT benefit_order_code_locator_check CHECK (code_locator BETWEEN 0 AND 99999)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE benefit_order;
