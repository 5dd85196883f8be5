-- +goose Up
CREATE TABLE article_question (
  article_id TEXT NOT NULL REFERENCES article (id),
  position BIGINT NOT NULL,
  question TEXT NOT NULL,
  choices TEXT NOT NULL,
  answer BIGINT NOT NULL,
  PRIMARY KEY (article_id, position),
  CONSTRAINT article_question_position_check CHECK (position BETWEEN 0 AND 9),
  CONSTRAINT article_question_answer_check CHECK (answer BETWEEN 0 AND 5)
);

-- +goose Down
DROP TABLE article_question;
