-- +goose Up
CREATE TABLE refresh_token (
  id CHAR(26) NOT NULL PRIMARY KEY,
  session_id CHAR(26) NOT NULL,
  hash CHAR(64) NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NULL,
  replaced_by CHAR(26) NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY refresh_token_hash_key (hash),
  UNIQUE KEY refresh_token_replaced_by_key (replaced_by),
  KEY refresh_token_session_id_idx (session_id),
  CONSTRAINT refresh_token_session_id_fk FOREIGN KEY (session_id) REFERENCES session (id),
  CONSTRAINT refresh_token_used_check CHECK ((used_at IS NULL) = (replaced_by IS NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE refresh_token;
