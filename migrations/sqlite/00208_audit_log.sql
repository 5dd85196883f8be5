-- +goose Up
CREATE TABLE audit_log (
  id TEXT NOT NULL PRIMARY KEY,
  actor_kind TEXT NOT NULL CHECK (actor_kind IN ('resident', 'staff', 'system')),
  actor_id TEXT NOT NULL,
  action TEXT NOT NULL,
  object_type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  region_id TEXT NULL REFERENCES region (id),
  reason TEXT NOT NULL DEFAULT '',
  detail TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX audit_log_region_id_idx ON audit_log (region_id, id);
CREATE INDEX audit_log_actor_id_idx ON audit_log (actor_id, id);
CREATE INDEX audit_log_object_id_idx ON audit_log (object_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_log;
