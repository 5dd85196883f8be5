-- +goose Up
CREATE TABLE case_assignment (
  id TEXT NOT NULL PRIMARY KEY,
  case_id TEXT NOT NULL REFERENCES case_file (id),
  seq BIGINT NOT NULL,
  staff_id TEXT NOT NULL REFERENCES staff (id),
  assigned_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NULL,
  CONSTRAINT case_assignment_ended_check CHECK (ended_at >= created_at)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX case_assignment_case_id_seq_key ON case_assignment (case_id, seq);
CREATE INDEX case_assignment_staff_id_idx ON case_assignment (staff_id, ended_at);
-- +goose StatementEnd

-- +goose Down
DROP TABLE case_assignment;
