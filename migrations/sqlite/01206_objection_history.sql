-- +goose Up
CREATE TABLE objection_history (
  id TEXT NOT NULL PRIMARY KEY,
  objection_id TEXT NOT NULL REFERENCES objection (id),
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX objection_history_objection_id_idx ON objection_history (objection_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE objection_history;
