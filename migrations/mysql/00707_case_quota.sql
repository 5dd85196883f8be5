-- +goose Up
CREATE TABLE case_quota (
  owner_id CHAR(26) NOT NULL,
  day CHAR(10) NOT NULL,
  reports BIGINT NOT NULL,
  uploads BIGINT NOT NULL,
  PRIMARY KEY (owner_id, day),
  KEY case_quota_day_idx (day),
  CONSTRAINT case_quota_counts_check CHECK (reports BETWEEN 0 AND 1000 AND uploads BETWEEN 0 AND 10000)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE case_quota;
