-- +goose Up
-- The days that the figures of the dashboard were counted for. A day is counted anew until final.
CREATE TABLE insight_day (
  day CHAR(10) NOT NULL PRIMARY KEY,
  final SMALLINT NOT NULL,
  counted_at BIGINT NOT NULL,
  CONSTRAINT insight_day_final_check CHECK (final IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE insight_day;
