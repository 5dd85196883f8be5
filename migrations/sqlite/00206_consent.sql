-- +goose Up
CREATE TABLE consent (
  resident_id TEXT NOT NULL REFERENCES resident (id),
  purpose TEXT NOT NULL CHECK (purpose IN ('privacy_policy', 'location', 'notifications', 'leaderboard')),
  status TEXT NOT NULL CHECK (status IN ('granted', 'withdrawn')),
  version TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  PRIMARY KEY (resident_id, purpose)
);
-- +goose StatementBegin
CREATE INDEX consent_purpose_idx ON consent (purpose, status, resident_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE consent;
