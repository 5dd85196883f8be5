-- +goose Up
-- The moves of a certificate. Append only.
CREATE TABLE certificate_history (
  id TEXT NOT NULL PRIMARY KEY,
  certificate_id TEXT NOT NULL REFERENCES certificate (id),
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX certificate_history_certificate_id_idx ON certificate_history (certificate_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE certificate_history;
