-- +goose Up
CREATE TABLE consent_history (
  id TEXT NOT NULL PRIMARY KEY,
  resident_id TEXT NOT NULL REFERENCES resident (id),
  purpose TEXT NOT NULL CHECK (purpose IN ('privacy_policy', 'location', 'notifications', 'leaderboard')),
  status TEXT NOT NULL CHECK (status IN ('granted', 'withdrawn')),
  version TEXT NOT NULL,
  decided_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX consent_history_resident_id_idx ON consent_history (resident_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE consent_history;
