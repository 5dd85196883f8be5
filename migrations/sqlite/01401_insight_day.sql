-- +goose Up
-- The days that the figures of the dashboard were counted for. A day is counted anew until final.
CREATE TABLE insight_day (
  day TEXT NOT NULL PRIMARY KEY,
  final SMALLINT NOT NULL,
  counted_at BIGINT NOT NULL,
  CHECK (final IN (0, 1))
);

-- +goose Down
DROP TABLE insight_day;
