-- +goose Up
-- The inbox. job_id is the queued job that brought the message: delivered again, it changes nothing.
CREATE TABLE message (
  id TEXT NOT NULL PRIMARY KEY,
  resident_id TEXT NULL REFERENCES resident (id),
  staff_id TEXT NULL REFERENCES staff (id),
  job_id TEXT NOT NULL,
  topic TEXT NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  link TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  read_at BIGINT NULL,
  CONSTRAINT message_recipient_check CHECK ((resident_id IS NULL) <> (staff_id IS NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX message_resident_id_job_id_key ON message (resident_id, job_id);
CREATE UNIQUE INDEX message_staff_id_job_id_key ON message (staff_id, job_id);
CREATE INDEX message_resident_id_idx ON message (resident_id, id);
CREATE INDEX message_resident_id_read_at_idx ON message (resident_id, read_at, id);
CREATE INDEX message_staff_id_idx ON message (staff_id, id);
CREATE INDEX message_staff_id_read_at_idx ON message (staff_id, read_at, id);
CREATE INDEX message_created_at_idx ON message (created_at);
-- +goose StatementEnd

-- +goose Down
DROP TABLE message;
