-- +goose Up
CREATE TABLE seal (
  id CHAR(26) NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL,
  day CHAR(10) NOT NULL,
  root CHAR(64) NOT NULL,
  wallet_count BIGINT NOT NULL,
  link_batch BIGINT NOT NULL,
  previous_root CHAR(64) NOT NULL,
  previous_hash CHAR(64) NOT NULL,
  hash CHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY seal_number_key (number),
  UNIQUE KEY seal_day_key (day),
  CONSTRAINT seal_number_check CHECK (number > 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE seal;
