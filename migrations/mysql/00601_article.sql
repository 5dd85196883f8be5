-- +goose Up
CREATE TABLE article (
  id CHAR(26) NOT NULL PRIMARY KEY,
  region_id CHAR(26) NOT NULL,
  title VARCHAR(80) NOT NULL,
  summary VARCHAR(200) NOT NULL DEFAULT '',
  body MEDIUMTEXT NOT NULL,
  cover_key VARCHAR(64) NULL,
  source VARCHAR(100) NOT NULL DEFAULT '',
  min_seconds BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  version BIGINT NOT NULL,
  published_at BIGINT NULL,
  created_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  KEY article_region_id_idx (region_id, status, published_at, id),
  KEY article_status_idx (status, id),
  CONSTRAINT article_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT article_status_check CHECK (status IN ('draft', 'published', 'withdrawn')),
  CONSTRAINT article_published_check CHECK (status <> 'published' OR published_at IS NOT NULL),
  CONSTRAINT article_title_check CHECK (title <> ''),
  CONSTRAINT article_body_check CHECK (CHAR_LENGTH(body) BETWEEN 1 AND 20000),
  CONSTRAINT article_min_seconds_check CHECK (min_seconds BETWEEN 5 AND 1800),
  CONSTRAINT article_version_check CHECK (version >= 1)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE article;
