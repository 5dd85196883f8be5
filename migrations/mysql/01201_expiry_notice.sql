-- +goose Up
-- A lot whose owner was told that it expires soon: once, whatever the outbox forgets.
CREATE TABLE expiry_notice (
  lot_id CHAR(26) NOT NULL PRIMARY KEY,
  created_at BIGINT NOT NULL,
  CONSTRAINT expiry_notice_lot_id_fk FOREIGN KEY (lot_id) REFERENCES lot (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE expiry_notice;
