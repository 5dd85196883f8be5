-- +goose Up
-- A correction makes a new record and leaves the old one as it was, in a state of its own.
-- SQLite cannot change a CHECK: the table is made anew. Nothing refers to it yet.
-- +goose StatementBegin
CREATE TABLE service_record_new (
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
  CHECK (kind IN ('attendance', 'manual', 'correction') AND (kind = 'attendance') = (attendance_id IS NOT NULL)),
  CHECK (state IN ('effective', 'pending_approval', 'rejected', 'corrected')),
  CHECK (approval IN ('none', 'second_person', 'long_day') AND (kind = 'attendance' OR approval <> 'none')),
  CHECK ((approval = 'none' AND state IN ('effective', 'corrected') AND decided_by IS NULL) OR (approval <> 'none' AND (state = 'pending_approval') = (decided_by IS NULL))),
  CHECK (decided_by IS NULL OR decided_by <> recorder_id),
  CHECK (earns_points = 0 OR (earns_points = 1 AND kind = 'attendance')),
  CHECK (started_at < ended_at AND minutes > 0 AND minutes * 60000000 <= ended_at - started_at),
  CHECK (quality_rating IS NULL OR quality_rating BETWEEN 1 AND 5)
);
INSERT INTO service_record_new (
  id, kind, state, approval, resident_id, volunteer_number, region_id, activity_id, attendance_id,
  activity_title, day, started_at, ended_at, minutes, place_name, beneficiary, content, quality_rating,
  person_in_charge, recorder_id, recorder_name, reason, earns_points, decided_by, decided_at, created_at
)
SELECT
  id, kind, state, approval, resident_id, volunteer_number, region_id, activity_id, attendance_id,
  activity_title, day, started_at, ended_at, minutes, place_name, beneficiary, content, quality_rating,
  person_in_charge, recorder_id, recorder_name, reason, earns_points, decided_by, decided_at, created_at
FROM service_record;
DROP TABLE service_record;
ALTER TABLE service_record_new RENAME TO service_record;
CREATE UNIQUE INDEX service_record_attendance_id_key ON service_record (attendance_id);
CREATE INDEX service_record_resident_id_idx ON service_record (resident_id, day, state);
CREATE INDEX service_record_region_id_idx ON service_record (region_id, state, id);
CREATE INDEX service_record_activity_id_idx ON service_record (activity_id);
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE TABLE service_record_new (
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
INSERT INTO service_record_new (
  id, kind, state, approval, resident_id, volunteer_number, region_id, activity_id, attendance_id,
  activity_title, day, started_at, ended_at, minutes, place_name, beneficiary, content, quality_rating,
  person_in_charge, recorder_id, recorder_name, reason, earns_points, decided_by, decided_at, created_at
)
SELECT
  id, kind, state, approval, resident_id, volunteer_number, region_id, activity_id, attendance_id,
  activity_title, day, started_at, ended_at, minutes, place_name, beneficiary, content, quality_rating,
  person_in_charge, recorder_id, recorder_name, reason, earns_points, decided_by, decided_at, created_at
FROM service_record;
DROP TABLE service_record;
ALTER TABLE service_record_new RENAME TO service_record;
CREATE UNIQUE INDEX service_record_attendance_id_key ON service_record (attendance_id);
CREATE INDEX service_record_resident_id_idx ON service_record (resident_id, day, state);
CREATE INDEX service_record_region_id_idx ON service_record (region_id, state, id);
CREATE INDEX service_record_activity_id_idx ON service_record (activity_id);
-- +goose StatementEnd
