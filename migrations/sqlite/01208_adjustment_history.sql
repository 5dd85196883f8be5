-- +goose Up
CREATE TABLE adjustment_history (
  id TEXT NOT NULL PRIMARY KEY,
  adjustment_id TEXT NOT NULL REFERENCES adjustment (id),
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX adjustment_history_adjustment_id_idx ON adjustment_history (adjustment_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE adjustment_history;
