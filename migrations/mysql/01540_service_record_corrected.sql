-- +goose Up
-- A correction makes a new record and leaves the old one as it was, in a state of its own.
ALTER TABLE service_record
  DROP CONSTRAINT service_record_kind_check,
  DROP CONSTRAINT service_record_state_check,
  DROP CONSTRAINT service_record_approval_check,
  DROP CONSTRAINT service_record_decided_check,
  ADD CONSTRAINT service_record_kind_check CHECK (kind IN ('attendance', 'manual', 'correction') AND (kind = 'attendance') = (attendance_id IS NOT NULL)),
  ADD CONSTRAINT service_record_state_check CHECK (state IN ('effective', 'pending_approval', 'rejected', 'corrected')),
  ADD CONSTRAINT service_record_approval_check CHECK (approval IN ('none', 'second_person', 'long_day') AND (kind = 'attendance' OR approval <> 'none')),
  ADD CONSTRAINT service_record_decided_check CHECK ((approval = 'none' AND state IN ('effective', 'corrected') AND decided_by IS NULL) OR (approval <> 'none' AND (state = 'pending_approval') = (decided_by IS NULL)));

-- +goose Down
ALTER TABLE service_record
  DROP CONSTRAINT service_record_kind_check,
  DROP CONSTRAINT service_record_state_check,
  DROP CONSTRAINT service_record_approval_check,
  DROP CONSTRAINT service_record_decided_check,
  ADD CONSTRAINT service_record_kind_check CHECK (kind IN ('attendance', 'manual') AND (kind = 'attendance') = (attendance_id IS NOT NULL)),
  ADD CONSTRAINT service_record_state_check CHECK (state IN ('effective', 'pending_approval', 'rejected')),
  ADD CONSTRAINT service_record_approval_check CHECK (approval IN ('none', 'second_person', 'long_day') AND (kind <> 'manual' OR approval <> 'none')),
  ADD CONSTRAINT service_record_decided_check CHECK ((approval = 'none' AND state = 'effective' AND decided_by IS NULL) OR (approval <> 'none' AND (state = 'pending_approval') = (decided_by IS NULL)));
