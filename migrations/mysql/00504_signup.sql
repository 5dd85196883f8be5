-- +goose Up
-- active_slot is 1 while the sign-up takes a place and NULL once cancelled:
-- a resident has one place in a shift, and any number of cancelled attempts.
CREATE TABLE signup (
  id CHAR(26) NOT NULL PRIMARY KEY,
  shift_id CHAR(26) NOT NULL,
  resident_id CHAR(26) NOT NULL,
  active_slot BIGINT NULL,
  status VARCHAR(16) NOT NULL,
  failed_marks BIGINT NOT NULL DEFAULT 0,
  failed_marks_since BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY signup_shift_id_resident_id_key (shift_id, resident_id, active_slot),
  KEY signup_resident_id_idx (resident_id, active_slot, status),
  CONSTRAINT signup_shift_id_fk FOREIGN KEY (shift_id) REFERENCES activity_shift (id),
  CONSTRAINT signup_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT signup_status_check CHECK (status IN ('signed_up', 'cancelled', 'attended', 'absent')),
  CONSTRAINT signup_active_slot_check CHECK ((status = 'cancelled') = (active_slot IS NULL) AND (active_slot IS NULL OR active_slot = 1)),
  CONSTRAINT signup_failed_marks_check CHECK (failed_marks >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE signup;
