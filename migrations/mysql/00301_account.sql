-- +goose Up
CREATE TABLE account (
  id CHAR(27) NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL,
  owner_id CHAR(26) NOT NULL,
  frozen_reason VARCHAR(200) NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  UNIQUE KEY account_kind_owner_id_key (kind, owner_id),
  CONSTRAINT account_kind_check CHECK (kind IN ('wallet', 'merchant', 'budget', 'system'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE account;
