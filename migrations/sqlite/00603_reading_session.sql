-- +goose Up
CREATE TABLE reading_session (
  id TEXT NOT NULL PRIMARY KEY,
  article_id TEXT NOT NULL REFERENCES article (id),
  resident_id TEXT NOT NULL REFERENCES resident (id),
  status TEXT NOT NULL,
  end_reason TEXT NULL,
  active_resident_id TEXT NULL,
  completed_article_id TEXT NULL,
  min_seconds BIGINT NOT NULL,
  credited_seconds BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  last_beat_at BIGINT NOT NULL,
  ended_at BIGINT NULL,
  CONSTRAINT reading_session_status_check CHECK (status IN ('open', 'completed', 'expired')),
  CONSTRAINT reading_session_end_reason_check CHECK (end_reason IN ('timed_out', 'superseded')),
  CONSTRAINT reading_session_expired_check CHECK ((status = 'expired') = (end_reason IS NOT NULL)),
  CONSTRAINT reading_session_ended_check CHECK ((status = 'open') = (ended_at IS NULL)),
  CONSTRAINT reading_session_active_check CHECK ((status = 'open') = (active_resident_id IS NOT NULL)),
  CONSTRAINT reading_session_active_resident_check CHECK (active_resident_id IS NULL OR active_resident_id = resident_id),
  CONSTRAINT reading_session_completed_check CHECK ((status = 'completed') = (completed_article_id IS NOT NULL)),
  CONSTRAINT reading_session_completed_article_check CHECK (completed_article_id IS NULL OR completed_article_id = article_id),
  CONSTRAINT reading_session_enough_check CHECK (status <> 'completed' OR credited_seconds >= min_seconds),
  CONSTRAINT reading_session_wall_clock_check CHECK (credited_seconds >= 0 AND credited_seconds * 1000000 <= last_beat_at - started_at)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX reading_session_active_resident_id_key ON reading_session (active_resident_id);
CREATE UNIQUE INDEX reading_session_resident_id_completed_article_id_key ON reading_session (resident_id, completed_article_id);
CREATE INDEX reading_session_article_id_idx ON reading_session (article_id, status);
CREATE INDEX reading_session_status_idx ON reading_session (status, started_at);
-- +goose StatementEnd

-- +goose Down
DROP TABLE reading_session;
