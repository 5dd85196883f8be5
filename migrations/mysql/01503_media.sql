-- +goose Up
CREATE TABLE media (
  id CHAR(32) NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL,
  content_type VARCHAR(64) NOT NULL,
  size_bytes BIGINT NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  sha256 CHAR(64) NOT NULL,
  created_by VARCHAR(64) NOT NULL,
  day CHAR(10) NOT NULL,
  created_at BIGINT NOT NULL,
  stored_at BIGINT NULL,
  KEY media_created_by_idx (created_by, day),
  CONSTRAINT media_kind_check CHECK (kind IN ('picture', 'audio')),
  CONSTRAINT media_size_check CHECK (size_bytes >= 1 AND width >= 0 AND height >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE media;
