-- +goose Up
CREATE TABLE refresh_token (
  id TEXT NOT NULL PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES session (id),
  hash TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NULL,
  replaced_by TEXT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT refresh_token_used_check CHECK ((used_at IS NULL) = (replaced_by IS NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX refresh_token_hash_key ON refresh_token (hash);
CREATE UNIQUE INDEX refresh_token_replaced_by_key ON refresh_token (replaced_by);
CREATE INDEX refresh_token_session_id_idx ON refresh_token (session_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE refresh_token;
