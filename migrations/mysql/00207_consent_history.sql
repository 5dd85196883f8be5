-- +goose Up
CREATE TABLE consent_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  resident_id CHAR(26) NOT NULL,
  purpose VARCHAR(32) NOT NULL,
  status VARCHAR(16) NOT NULL,
  version VARCHAR(32) NOT NULL,
  decided_at BIGINT NOT NULL,
  KEY consent_history_resident_id_idx (resident_id, id),
  CONSTRAINT consent_history_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT consent_history_purpose_check CHECK (purpose IN ('privacy_policy', 'location', 'notifications', 'leaderboard')),
  CONSTRAINT consent_history_status_check CHECK (status IN ('granted', 'withdrawn'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE consent_history;
