-- +goose Up
CREATE TABLE media (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  created_by TEXT NOT NULL,
  day TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  stored_at BIGINT NULL,
  CONSTRAINT media_kind_check CHECK (kind IN ('picture', 'audio')),
  CONSTRAINT media_size_check CHECK (size_bytes >= 1 AND width >= 0 AND height >= 0)
);
-- +goose StatementBegin
CREATE INDEX media_created_by_idx ON media (created_by, day);
-- +goose StatementEnd

-- +goose Down
DROP TABLE media;
