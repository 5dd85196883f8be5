-- +goose Up
-- How a region and what lies below it stood when it was last counted.
CREATE TABLE insight_region_now (
  region_id TEXT NOT NULL PRIMARY KEY REFERENCES region (id),
  residents BIGINT NOT NULL,
  active_residents BIGINT NOT NULL,
  outstanding_points BIGINT NOT NULL,
  held_points BIGINT NOT NULL,
  counted_at BIGINT NOT NULL,
  CHECK (residents >= 0 AND active_residents >= 0)
);

-- +goose Down
DROP TABLE insight_region_now;
