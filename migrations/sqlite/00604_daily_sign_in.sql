-- +goose Up
CREATE TABLE daily_sign_in (
  id TEXT NOT NULL PRIMARY KEY,
  resident_id TEXT NOT NULL REFERENCES resident (id),
  day TEXT NOT NULL,
  streak_days BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT daily_sign_in_streak_days_check CHECK (streak_days >= 1)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX daily_sign_in_resident_id_day_key ON daily_sign_in (resident_id, day);
-- +goose StatementEnd

-- +goose Down
DROP TABLE daily_sign_in;
