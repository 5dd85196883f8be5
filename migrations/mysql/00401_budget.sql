-- +goose Up
CREATE TABLE budget (
  id CHAR(26) NOT NULL PRIMARY KEY,
  region_id CHAR(26) NOT NULL,
  name VARCHAR(64) NOT NULL,
  starts_on CHAR(10) NOT NULL,
  ends_on CHAR(10) NOT NULL,
  limit_points BIGINT NOT NULL,
  created_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  KEY budget_region_id_idx (region_id, starts_on),
  UNIQUE KEY budget_region_id_name_key (region_id, name),
  CONSTRAINT budget_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT budget_limit_check CHECK (limit_points > 0),
  CONSTRAINT budget_period_check CHECK (starts_on <= ends_on)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE budget;
