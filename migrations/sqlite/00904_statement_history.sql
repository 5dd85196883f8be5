-- +goose Up
CREATE TABLE statement_history (
  id TEXT NOT NULL PRIMARY KEY,
  statement_id TEXT NOT NULL REFERENCES settlement_statement (id),
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX statement_history_statement_id_idx ON statement_history (statement_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE statement_history;
