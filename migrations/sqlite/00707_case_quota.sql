-- +goose Up
CREATE TABLE case_quota (
  owner_id TEXT NOT NULL,
  day TEXT NOT NULL,
  reports BIGINT NOT NULL,
  uploads BIGINT NOT NULL,
  PRIMARY KEY (owner_id, day),
  CONSTRAINT case_quota_counts_check CHECK (reports BETWEEN 0 AND 1000 AND uploads BETWEEN 0 AND 10000)
);
-- +goose StatementBegin
CREATE INDEX case_quota_day_idx ON case_quota (day);
-- +goose StatementEnd

-- +goose Down
DROP TABLE case_quota;
