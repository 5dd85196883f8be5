-- +goose Up
CREATE TABLE article_question (
  article_id CHAR(26) NOT NULL,
  position BIGINT NOT NULL,
  question VARCHAR(200) NOT NULL,
  choices TEXT NOT NULL,
  answer BIGINT NOT NULL,
  PRIMARY KEY (article_id, position),
  CONSTRAINT article_question_article_id_fk FOREIGN KEY (article_id) REFERENCES article (id),
  CONSTRAINT article_question_position_check CHECK (position BETWEEN 0 AND 9),
  CONSTRAINT article_question_answer_check CHECK (answer BETWEEN 0 AND 5)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE article_question;
