-- +goose Up
CREATE TABLE settlement_period (
  id CHAR(26) NOT NULL PRIMARY KEY,
  day CHAR(10) NOT NULL,
  status VARCHAR(16) NOT NULL,
  closed_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY settlement_period_day_key (day),
  KEY settlement_period_status_idx (status, day),
  CONSTRAINT settlement_period_status_check CHECK (status IN ('open', 'closed')),
  CONSTRAINT settlement_period_closed_check CHECK ((status = 'closed') = (closed_at IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE settlement_period;
