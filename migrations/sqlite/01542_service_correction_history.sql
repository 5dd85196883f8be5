-- +goose Up
-- The moves of a correction. Append only.
CREATE TABLE service_correction_history (
  id TEXT NOT NULL PRIMARY KEY,
  correction_id TEXT NOT NULL REFERENCES service_correction (id),
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX service_correction_history_correction_id_idx ON service_correction_history (correction_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE service_correction_history;
