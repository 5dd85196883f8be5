-- +goose Up
CREATE TABLE article_history (
  id CHAR(26) NOT NULL PRIMARY KEY,
  article_id CHAR(26) NOT NULL,
  version BIGINT NOT NULL,
  move VARCHAR(16) NOT NULL,
  from_status VARCHAR(16) NULL,
  to_status VARCHAR(16) NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_id VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  UNIQUE KEY article_history_article_id_version_key (article_id, version),
  KEY article_history_actor_id_idx (actor_id, id),
  CONSTRAINT article_history_article_id_fk FOREIGN KEY (article_id) REFERENCES article (id),
  CONSTRAINT article_history_move_check CHECK (move IN ('create', 'update', 'publish', 'withdraw')),
  CONSTRAINT article_history_status_check CHECK (to_status IN ('draft', 'published', 'withdrawn') AND (version = 1) = (from_status IS NULL)),
  CONSTRAINT article_history_actor_kind_check CHECK (actor_kind IN ('staff', 'system'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE article_history;
