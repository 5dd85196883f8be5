-- +goose Up
-- What happened on a day in a region and below it: every ancestor of a resident's home has its row, so that
-- a region is read without its subtree.
CREATE TABLE insight_region_day (
  region_id TEXT NOT NULL REFERENCES region (id),
  day TEXT NOT NULL,
  issued_points BIGINT NOT NULL,
  taken_back_points BIGINT NOT NULL,
  redeemed_points BIGINT NOT NULL,
  returned_points BIGINT NOT NULL,
  expired_points BIGINT NOT NULL,
  service_minutes BIGINT NOT NULL,
  reports BIGINT NOT NULL,
  PRIMARY KEY (region_id, day)
);

CREATE INDEX insight_region_day_day_idx ON insight_region_day (day);

-- +goose Down
DROP TABLE insight_region_day;
