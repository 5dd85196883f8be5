-- +goose Up
CREATE TABLE reading_session (
  id CHAR(26) NOT NULL PRIMARY KEY,
  article_id CHAR(26) NOT NULL,
  resident_id CHAR(26) NOT NULL,
  status VARCHAR(16) NOT NULL,
  end_reason VARCHAR(16) NULL,
  active_resident_id CHAR(26) NULL,
  completed_article_id CHAR(26) NULL,
  min_seconds BIGINT NOT NULL,
  credited_seconds BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  last_beat_at BIGINT NOT NULL,
  ended_at BIGINT NULL,
  UNIQUE KEY reading_session_active_resident_id_key (active_resident_id),
  UNIQUE KEY reading_session_resident_id_completed_article_id_key (resident_id, completed_article_id),
  KEY reading_session_article_id_idx (article_id, status),
  KEY reading_session_status_idx (status, started_at),
  CONSTRAINT reading_session_article_id_fk FOREIGN KEY (article_id) REFERENCES article (id),
  CONSTRAINT reading_session_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
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
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE reading_session;
