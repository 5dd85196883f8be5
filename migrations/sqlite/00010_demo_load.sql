-- +goose Up
-- At most one row: the demo county is loaded once, and a load that was cut off is seen.
CREATE TABLE demo_load (
  id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  started_at BIGINT NOT NULL,
  finished_at BIGINT NULL
);

-- +goose Down
DROP TABLE demo_load;
