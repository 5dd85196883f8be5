-- +goose Up
-- One row per message that goes to WeChat, written before the call: found in 'sending', the call's end is
-- unknown and it is not made again.
CREATE TABLE subscribe_attempt (
  job_id TEXT NOT NULL PRIMARY KEY,
  message_id TEXT NOT NULL REFERENCES message (id),
  template_id TEXT NOT NULL,
  status TEXT NOT NULL,
  calls BIGINT NOT NULL,
  error_code TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT subscribe_attempt_status_check CHECK (status IN ('sending', 'waiting', 'sent', 'refused', 'failed', 'unknown', 'dropped')),
  CONSTRAINT subscribe_attempt_calls_check CHECK (calls >= 1)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX subscribe_attempt_message_id_key ON subscribe_attempt (message_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE subscribe_attempt;
