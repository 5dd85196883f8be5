-- +goose Up
CREATE TABLE benefit_history (
  id TEXT NOT NULL PRIMARY KEY,
  benefit_id TEXT NOT NULL REFERENCES benefit (id),
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX benefit_history_benefit_id_idx ON benefit_history (benefit_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE benefit_history;
