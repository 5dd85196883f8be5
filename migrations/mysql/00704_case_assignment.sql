-- +goose Up
CREATE TABLE case_assignment (
  id CHAR(26) NOT NULL PRIMARY KEY,
  case_id CHAR(26) NOT NULL,
  seq BIGINT NOT NULL,
  staff_id CHAR(26) NOT NULL,
  assigned_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NULL,
  UNIQUE KEY case_assignment_case_id_seq_key (case_id, seq),
  KEY case_assignment_staff_id_idx (staff_id, ended_at),
  CONSTRAINT case_assignment_case_id_fk FOREIGN KEY (case_id) REFERENCES case_file (id),
  CONSTRAINT case_assignment_staff_id_fk FOREIGN KEY (staff_id) REFERENCES staff (id),
  CONSTRAINT case_assignment_ended_check CHECK (ended_at >= created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE case_assignment;
