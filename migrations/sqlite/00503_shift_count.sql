-- +goose Up
-- How many places of a shift are taken. edition changes with the shift's
-- times, so that a sign-up counted against old times is refused.
CREATE TABLE shift_count (
  shift_id TEXT NOT NULL PRIMARY KEY REFERENCES activity_shift (id),
  capacity BIGINT NOT NULL,
  signed_up BIGINT NOT NULL DEFAULT 0,
  is_open BIGINT NOT NULL,
  edition BIGINT NOT NULL DEFAULT 1,
  version BIGINT NOT NULL DEFAULT 1,
  CHECK (capacity BETWEEN 1 AND 1000),
  CHECK (signed_up BETWEEN 0 AND capacity),
  CHECK (is_open IN (0, 1))
);

-- +goose Down
DROP TABLE shift_count;
