-- +goose Up
-- The chains of the accounts: one row for each transfer, written by the sealer.
-- batch_no grows with each transaction of the sealer, so that a seal can say up
-- to which batch it reaches.
CREATE TABLE wallet_link (
  account_id CHAR(27) NOT NULL,
  seq BIGINT NOT NULL,
  transfer_id CHAR(26) NOT NULL,
  batch_no BIGINT NOT NULL,
  encoding INT NOT NULL,
  prev_hash CHAR(64) NOT NULL,
  hash CHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, seq),
  UNIQUE KEY wallet_link_transfer_id_key (transfer_id),
  KEY wallet_link_batch_no_idx (batch_no, account_id),
  CONSTRAINT wallet_link_account_id_fk FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT wallet_link_transfer_id_fk FOREIGN KEY (transfer_id) REFERENCES transfer (id),
  CONSTRAINT wallet_link_seq_check CHECK (seq > 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE wallet_link;
