-- +goose Up
CREATE TABLE job_lease (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL DEFAULT '',
  run_id TEXT NOT NULL DEFAULT '',
  expires_at BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE job_lease;
