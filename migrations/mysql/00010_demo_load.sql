-- +goose Up
-- At most one row: the demo county is loaded once, and a load that was cut off is seen.
CREATE TABLE demo_load (
  id BIGINT NOT NULL PRIMARY KEY,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NULL,
  CONSTRAINT demo_load_id_check CHECK (id = 1)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE demo_load;
