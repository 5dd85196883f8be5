-- +goose Up
CREATE TABLE volunteer_history (
  id TEXT NOT NULL PRIMARY KEY,
  object_type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  CHECK (object_type IN ('activity', 'shift', 'signup', 'attendance', 'service_record'))
);
-- +goose StatementBegin
CREATE INDEX volunteer_history_object_id_idx ON volunteer_history (object_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE volunteer_history;
