-- +goose Up
-- The fields of a record follow the measures on volunteer service records and
-- certificates (Ministry of Civil Affairs order 67) and Minfa 2015 No. 149.
-- They are copies: a certificate must say later what the record said then.
-- Only the state and its decision change; minutes never do.
CREATE TABLE service_record (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  approval TEXT NOT NULL,
  resident_id TEXT NOT NULL REFERENCES resident (id),
  volunteer_number TEXT NOT NULL,
  region_id TEXT NOT NULL REFERENCES region (id),
  activity_id TEXT NULL REFERENCES activity (id),
  attendance_id TEXT NULL REFERENCES attendance (id),
  activity_title TEXT NOT NULL,
  day TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  minutes BIGINT NOT NULL,
  place_name TEXT NOT NULL,
  beneficiary TEXT NOT NULL,
  content TEXT NOT NULL,
  quality_rating BIGINT NULL,
  person_in_charge TEXT NOT NULL,
  recorder_id TEXT NOT NULL,
  recorder_name TEXT NOT NULL,
  reason TEXT NOT NULL,
  earns_points BIGINT NOT NULL,
  decided_by TEXT NULL,
  decided_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  CHECK (kind IN ('attendance', 'manual') AND (kind = 'attendance') = (attendance_id IS NOT NULL)),
  CHECK (state IN ('effective', 'pending_approval', 'rejected')),
  CHECK (approval IN ('none', 'second_person', 'long_day') AND (kind <> 'manual' OR approval <> 'none')),
  CHECK ((approval = 'none' AND state = 'effective' AND decided_by IS NULL) OR (approval <> 'none' AND (state = 'pending_approval') = (decided_by IS NULL))),
  CHECK (decided_by IS NULL OR decided_by <> recorder_id),
  CHECK (earns_points = 0 OR (earns_points = 1 AND kind = 'attendance')),
  CHECK (started_at < ended_at AND minutes > 0 AND minutes * 60000000 <= ended_at - started_at),
  CHECK (quality_rating IS NULL OR quality_rating BETWEEN 1 AND 5)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX service_record_attendance_id_key ON service_record (attendance_id);
CREATE INDEX service_record_resident_id_idx ON service_record (resident_id, day, state);
CREATE INDEX service_record_region_id_idx ON service_record (region_id, state, id);
CREATE INDEX service_record_activity_id_idx ON service_record (activity_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE service_record;
