-- +goose Up
-- What happened on a day in a region and below it: every ancestor of a resident's home has its row, so that
-- a region is read without its subtree.
CREATE TABLE insight_region_day (
  region_id CHAR(26) NOT NULL,
  day CHAR(10) NOT NULL,
  issued_points BIGINT NOT NULL,
  taken_back_points BIGINT NOT NULL,
  redeemed_points BIGINT NOT NULL,
  returned_points BIGINT NOT NULL,
  expired_points BIGINT NOT NULL,
  service_minutes BIGINT NOT NULL,
  reports BIGINT NOT NULL,
  PRIMARY KEY (region_id, day),
  KEY insight_region_day_day_idx (day),
  CONSTRAINT insight_region_day_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE insight_region_day;
