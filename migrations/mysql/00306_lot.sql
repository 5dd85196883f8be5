-- +goose Up
CREATE TABLE lot (
  id CHAR(26) NOT NULL PRIMARY KEY,
  account_id CHAR(27) NOT NULL,
  expires_on CHAR(10) NOT NULL,
  remaining BIGINT UNSIGNED NOT NULL,
  held BIGINT UNSIGNED NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  UNIQUE KEY lot_account_id_expires_on_key (account_id, expires_on),
  KEY lot_expires_on_idx (expires_on, account_id),
  CONSTRAINT lot_account_id_fk FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT lot_remaining_check CHECK (remaining >= 0),
  CONSTRAINT lot_held_check CHECK (held >= 0 AND held <= remaining)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE lot;
