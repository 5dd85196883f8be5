-- +goose Up
-- active_slot is 1 while the sign-up takes a place and NULL once cancelled:
-- a resident has one place in a shift, and any number of cancelled attempts.
CREATE TABLE signup (
  id TEXT NOT NULL PRIMARY KEY,
  shift_id TEXT NOT NULL REFERENCES activity_shift (id),
  resident_id TEXT NOT NULL REFERENCES resident (id),
  active_slot BIGINT NULL,
  status TEXT NOT NULL,
  failed_marks BIGINT NOT NULL DEFAULT 0,
  failed_marks_since BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CHECK (status IN ('signed_up', 'cancelled', 'attended', 'absent')),
  CHECK ((status = 'cancelled') = (active_slot IS NULL) AND (active_slot IS NULL OR active_slot = 1)),
  CHECK (failed_marks >= 0)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX signup_shift_id_resident_id_key ON signup (shift_id, resident_id, active_slot);
CREATE INDEX signup_resident_id_idx ON signup (resident_id, active_slot, status);
-- +goose StatementEnd

-- +goose Down
DROP TABLE signup;
