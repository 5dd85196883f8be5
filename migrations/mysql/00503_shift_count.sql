-- +goose Up
-- How many places of a shift are taken. edition changes with the shift's
-- times, so that a sign-up counted against old times is refused.
CREATE TABLE shift_count (
  shift_id CHAR(26) NOT NULL PRIMARY KEY,
  capacity BIGINT NOT NULL,
  signed_up BIGINT UNSIGNED NOT NULL DEFAULT 0,
  is_open BIGINT NOT NULL,
  edition BIGINT NOT NULL DEFAULT 1,
  version BIGINT NOT NULL DEFAULT 1,
  CONSTRAINT shift_count_shift_id_fk FOREIGN KEY (shift_id) REFERENCES activity_shift (id),
  CONSTRAINT shift_count_capacity_check CHECK (capacity BETWEEN 1 AND 1000),
  CONSTRAINT shift_count_signed_up_check CHECK (signed_up BETWEEN 0 AND capacity),
  CONSTRAINT shift_count_is_open_check CHECK (is_open IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE shift_count;
