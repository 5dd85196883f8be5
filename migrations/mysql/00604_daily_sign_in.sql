-- +goose Up
CREATE TABLE daily_sign_in (
  id CHAR(26) NOT NULL PRIMARY KEY,
  resident_id CHAR(26) NOT NULL,
  day CHAR(10) NOT NULL,
  streak_days BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY daily_sign_in_resident_id_day_key (resident_id, day),
  CONSTRAINT daily_sign_in_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT daily_sign_in_streak_days_check CHECK (streak_days >= 1)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE daily_sign_in;
