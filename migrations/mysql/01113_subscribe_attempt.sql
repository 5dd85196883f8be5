-- +goose Up
-- One row per message that goes to WeChat, written before the call: found in 'sending', the call's end is
-- unknown and it is not made again.
CREATE TABLE subscribe_attempt (
  job_id CHAR(26) NOT NULL PRIMARY KEY,
  message_id CHAR(26) NOT NULL,
  template_id VARCHAR(128) NOT NULL,
  status VARCHAR(16) NOT NULL,
  calls BIGINT NOT NULL,
  error_code VARCHAR(64) NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY subscribe_attempt_message_id_key (message_id),
  CONSTRAINT subscribe_attempt_message_id_fk FOREIGN KEY (message_id) REFERENCES message (id),
  CONSTRAINT subscribe_attempt_status_check CHECK (status IN ('sending', 'waiting', 'sent', 'refused', 'failed', 'unknown', 'dropped')),
  CONSTRAINT subscribe_attempt_calls_check CHECK (calls >= 1)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE subscribe_attempt;
