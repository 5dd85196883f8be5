-- +goose Up
CREATE TABLE activity_shift (
  id TEXT NOT NULL PRIMARY KEY,
  activity_id TEXT NOT NULL REFERENCES activity (id),
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  break_minutes BIGINT NOT NULL,
  code_secret TEXT NOT NULL,
  status TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CHECK (status IN ('open', 'cancelled')),
  CHECK (starts_at < ends_at AND break_minutes >= 0 AND break_minutes * 60000000 < ends_at - starts_at)
);
-- +goose StatementBegin
CREATE INDEX activity_shift_activity_id_idx ON activity_shift (activity_id, starts_at);
CREATE INDEX activity_shift_status_idx ON activity_shift (status, ends_at, activity_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE activity_shift;
