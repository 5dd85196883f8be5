-- +goose Up
-- How a region and what lies below it stood when it was last counted.
CREATE TABLE insight_region_now (
  region_id CHAR(26) NOT NULL PRIMARY KEY,
  residents BIGINT NOT NULL,
  active_residents BIGINT NOT NULL,
  outstanding_points BIGINT NOT NULL,
  held_points BIGINT NOT NULL,
  counted_at BIGINT NOT NULL,
  CONSTRAINT insight_region_now_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT insight_region_now_counts_check CHECK (residents >= 0 AND active_residents >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE insight_region_now;
