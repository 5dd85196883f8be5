-- +goose Up
-- A list that a member of staff has written into a file. slot is set while it waits or runs: the key over it
-- bounds how many one person has at once.
CREATE TABLE export_job (
  id CHAR(26) NOT NULL PRIMARY KEY,
  staff_id CHAR(26) NOT NULL,
  resource VARCHAR(32) NOT NULL,
  format VARCHAR(32) NOT NULL,
  filters VARCHAR(1000) NOT NULL,
  status VARCHAR(32) NOT NULL,
  slot BIGINT NULL,
  rows_done BIGINT NOT NULL DEFAULT 0,
  truncated SMALLINT NOT NULL DEFAULT 0,
  run_token VARCHAR(32) NOT NULL DEFAULT '',
  file_key VARCHAR(32) NOT NULL DEFAULT '',
  size_bytes BIGINT NOT NULL DEFAULT 0,
  error VARCHAR(1000) NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  finished_at BIGINT NULL,
  expires_at BIGINT NULL,
  UNIQUE KEY export_job_staff_id_slot_key (staff_id, slot),
  KEY export_job_staff_id_idx (staff_id, id),
  KEY export_job_status_idx (status, created_at),
  CONSTRAINT export_job_staff_id_fk FOREIGN KEY (staff_id) REFERENCES staff (id),
  CONSTRAINT export_job_format_check CHECK (format IN ('csv', 'xlsx')),
  CONSTRAINT export_job_status_check CHECK (status IN ('queued', 'running', 'done', 'failed', 'expired')),
  CONSTRAINT export_job_slot_check CHECK ((status IN ('queued', 'running')) = (slot IS NOT NULL)),
  CONSTRAINT export_job_file_check CHECK ((status = 'done') = (file_key <> ''))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE export_job;
