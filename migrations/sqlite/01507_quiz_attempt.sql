-- +goose Up
CREATE TABLE quiz_attempt (
  id TEXT NOT NULL PRIMARY KEY,
  resident_id TEXT NOT NULL REFERENCES resident (id),
  article_id TEXT NOT NULL REFERENCES article (id),
  day TEXT NOT NULL,
  try_number BIGINT NOT NULL,
  wrong TEXT NOT NULL,
  questions BIGINT NOT NULL,
  passed BIGINT NOT NULL,
  idempotency_key TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT quiz_attempt_try_number_check CHECK (try_number BETWEEN 1 AND 3),
  CONSTRAINT quiz_attempt_passed_check CHECK (passed IN (0, 1) AND (passed = 0 OR wrong = ''))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX quiz_attempt_resident_id_article_id_day_try_number_key ON quiz_attempt (resident_id, article_id, day, try_number);
CREATE UNIQUE INDEX quiz_attempt_resident_id_idempotency_key_key ON quiz_attempt (resident_id, idempotency_key);
CREATE INDEX quiz_attempt_article_id_idx ON quiz_attempt (article_id, passed, resident_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE quiz_attempt;
