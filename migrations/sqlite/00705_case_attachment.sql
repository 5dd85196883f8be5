-- +goose Up
CREATE TABLE case_attachment (
  attachment_id TEXT NOT NULL PRIMARY KEY REFERENCES attachment (id),
  case_id TEXT NOT NULL REFERENCES case_file (id),
  seq BIGINT NOT NULL,
  position BIGINT NOT NULL,
  CONSTRAINT case_attachment_position_check CHECK (position BETWEEN 0 AND 8)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX case_attachment_case_id_seq_position_key ON case_attachment (case_id, seq, position);
-- +goose StatementEnd

-- +goose Down
DROP TABLE case_attachment;
