-- +goose Up
-- Answers given under an idempotency key.
CREATE TABLE volunteer_request (
  id CHAR(26) NOT NULL PRIMARY KEY,
  actor_id VARCHAR(64) NOT NULL,
  idempotency_key VARCHAR(64) NOT NULL,
  input_hash CHAR(64) NOT NULL,
  answer MEDIUMTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY volunteer_request_idempotency_key_key (actor_id, idempotency_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE volunteer_request;
