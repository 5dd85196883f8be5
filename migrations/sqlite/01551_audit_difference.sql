-- +goose Up
CREATE TABLE audit_difference (
  id TEXT NOT NULL PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES audit_run (id),
  section TEXT NOT NULL,
  check_name TEXT NOT NULL,
  object_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  want BIGINT NOT NULL,
  got BIGINT NOT NULL,
  note TEXT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX audit_difference_run_id_idx ON audit_difference (run_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_difference;
