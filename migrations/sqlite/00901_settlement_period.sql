-- +goose Up
CREATE TABLE settlement_period (
  id TEXT NOT NULL PRIMARY KEY,
  day TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
  closed_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  CHECK ((status = 'closed') = (closed_at IS NOT NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX settlement_period_day_key ON settlement_period (day);
CREATE INDEX settlement_period_status_idx ON settlement_period (status, day);
-- +goose StatementEnd

-- +goose Down
DROP TABLE settlement_period;
