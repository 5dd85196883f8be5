-- +goose Up
CREATE TABLE article_history (
  id TEXT NOT NULL PRIMARY KEY,
  article_id TEXT NOT NULL REFERENCES article (id),
  version BIGINT NOT NULL,
  move TEXT NOT NULL,
  from_status TEXT NULL,
  to_status TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  CONSTRAINT article_history_move_check CHECK (move IN ('create', 'update', 'publish', 'withdraw')),
  CONSTRAINT article_history_status_check CHECK (to_status IN ('draft', 'published', 'withdrawn') AND (version = 1) = (from_status IS NULL)),
  CONSTRAINT article_history_actor_kind_check CHECK (actor_kind IN ('staff', 'system'))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX article_history_article_id_version_key ON article_history (article_id, version);
CREATE INDEX article_history_actor_id_idx ON article_history (actor_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE article_history;
