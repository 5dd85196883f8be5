-- +goose Up
CREATE TABLE session (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('resident', 'staff')),
  principal_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  revoked_at BIGINT NULL,
  revoke_reason TEXT NULL CHECK (revoke_reason IN
    ('logout', 'logout_everywhere', 'refresh_reused', 'password_changed', 'disabled', 'deleted', 'too_many')),
  CONSTRAINT session_revoked_check CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
);
-- +goose StatementBegin
CREATE INDEX session_principal_id_idx ON session (principal_id, revoked_at);
CREATE INDEX session_last_used_at_idx ON session (last_used_at);
-- +goose StatementEnd

-- +goose Down
DROP TABLE session;
