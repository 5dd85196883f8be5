-- +goose Up
CREATE TABLE session (
  id CHAR(26) NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL,
  principal_id CHAR(26) NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  revoked_at BIGINT NULL,
  revoke_reason VARCHAR(32) NULL,
  KEY session_principal_id_idx (principal_id, revoked_at),
  KEY session_last_used_at_idx (last_used_at),
  CONSTRAINT session_kind_check CHECK (kind IN ('resident', 'staff')),
  CONSTRAINT session_revoke_reason_check CHECK (revoke_reason IN
    ('logout', 'logout_everywhere', 'refresh_reused', 'password_changed', 'disabled', 'deleted', 'too_many')),
  CONSTRAINT session_revoked_check CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE session;
