-- +goose Up
-- The inbox. job_id is the queued job that brought the message: delivered again, it changes nothing.
CREATE TABLE message (
  id CHAR(26) NOT NULL PRIMARY KEY,
  resident_id CHAR(26) NULL,
  staff_id CHAR(26) NULL,
  job_id CHAR(26) NOT NULL,
  topic VARCHAR(64) NOT NULL,
  title VARCHAR(60) NOT NULL,
  body VARCHAR(500) NOT NULL,
  link VARCHAR(200) NOT NULL,
  created_at BIGINT NOT NULL,
  read_at BIGINT NULL,
  UNIQUE KEY message_resident_id_job_id_key (resident_id, job_id),
  UNIQUE KEY message_staff_id_job_id_key (staff_id, job_id),
  KEY message_resident_id_idx (resident_id, id),
  KEY message_resident_id_read_at_idx (resident_id, read_at, id),
  KEY message_staff_id_idx (staff_id, id),
  KEY message_staff_id_read_at_idx (staff_id, read_at, id),
  KEY message_created_at_idx (created_at),
  CONSTRAINT message_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT message_staff_id_fk FOREIGN KEY (staff_id) REFERENCES staff (id),
  CONSTRAINT message_recipient_check CHECK ((resident_id IS NULL) <> (staff_id IS NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE message;
