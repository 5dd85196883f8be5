-- +goose Up
CREATE TABLE quiz_attempt (
  id CHAR(26) NOT NULL PRIMARY KEY,
  resident_id CHAR(26) NOT NULL,
  article_id CHAR(26) NOT NULL,
  day CHAR(10) NOT NULL,
  try_number BIGINT NOT NULL,
  wrong VARCHAR(32) NOT NULL,
  questions BIGINT NOT NULL,
  passed BIGINT NOT NULL,
  idempotency_key VARCHAR(64) NOT NULL,
  input_hash CHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY quiz_attempt_resident_id_article_id_day_try_number_key (resident_id, article_id, day, try_number),
  UNIQUE KEY quiz_attempt_resident_id_idempotency_key_key (resident_id, idempotency_key),
  KEY quiz_attempt_article_id_idx (article_id, passed, resident_id),
  CONSTRAINT quiz_attempt_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT quiz_attempt_article_id_fk FOREIGN KEY (article_id) REFERENCES article (id),
  CONSTRAINT quiz_attempt_try_number_check CHECK (try_number BETWEEN 1 AND 3),
  CONSTRAINT quiz_attempt_passed_check CHECK (passed IN (0, 1) AND (passed = 0 OR wrong = ''))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE quiz_attempt;
