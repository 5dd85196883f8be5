-- +goose Up
CREATE TABLE article (
  id TEXT NOT NULL PRIMARY KEY,
  region_id TEXT NOT NULL REFERENCES region (id),
  title TEXT NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  body TEXT NOT NULL,
  cover_key TEXT NULL,
  source TEXT NOT NULL DEFAULT '',
  min_seconds BIGINT NOT NULL,
  status TEXT NOT NULL,
  version BIGINT NOT NULL,
  published_at BIGINT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT article_status_check CHECK (status IN ('draft', 'published', 'withdrawn')),
  CONSTRAINT article_published_check CHECK (status <> 'published' OR published_at IS NOT NULL),
  CONSTRAINT article_title_check CHECK (title <> ''),
  CONSTRAINT article_body_check CHECK (LENGTH(body) BETWEEN 1 AND 20000),
  CONSTRAINT article_min_seconds_check CHECK (min_seconds BETWEEN 5 AND 1800),
  CONSTRAINT article_version_check CHECK (version >= 1)
);
-- +goose StatementBegin
CREATE INDEX article_region_id_idx ON article (region_id, status, published_at, id);
CREATE INDEX article_status_idx ON article (status, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE article;
