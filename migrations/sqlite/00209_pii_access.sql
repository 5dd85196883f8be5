-- +goose Up
CREATE TABLE pii_access (
  id TEXT NOT NULL PRIMARY KEY,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  resident_id TEXT NULL REFERENCES resident (id),
  field TEXT NOT NULL CHECK (field IN ('phone', 'real_name')),
  reason TEXT NOT NULL CHECK (reason <> ''),
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX pii_access_actor_id_idx ON pii_access (actor_id, id);
CREATE INDEX pii_access_resident_id_idx ON pii_access (resident_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE pii_access;
