-- +goose Up
-- The fields of a record follow the measures on volunteer service records and
-- certificates (Ministry of Civil Affairs order 67) and Minfa 2015 No. 149.
-- They are copies: a certificate must say later what the record said then.
-- Only the state and its decision change; minutes never do.
CREATE TABLE service_record (
  id CHAR(26) NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL,
  state VARCHAR(24) NOT NULL,
  approval VARCHAR(16) NOT NULL,
  resident_id CHAR(26) NOT NULL,
  volunteer_number VARCHAR(32) NOT NULL,
  region_id CHAR(26) NOT NULL,
  activity_id CHAR(26) NULL,
  attendance_id CHAR(26) NULL,
  activity_title VARCHAR(80) NOT NULL,
  day CHAR(10) NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  minutes BIGINT NOT NULL,
  place_name VARCHAR(120) NOT NULL,
  beneficiary VARCHAR(80) NOT NULL,
  content TEXT NOT NULL,
  quality_rating BIGINT NULL,
  person_in_charge VARCHAR(64) NOT NULL,
  recorder_id VARCHAR(64) NOT NULL,
  recorder_name VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  earns_points BIGINT NOT NULL,
  decided_by VARCHAR(64) NULL,
  decided_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY service_record_attendance_id_key (attendance_id),
  KEY service_record_resident_id_idx (resident_id, day, state),
  KEY service_record_region_id_idx (region_id, state, id),
  KEY service_record_activity_id_idx (activity_id),
  CONSTRAINT service_record_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT service_record_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT service_record_activity_id_fk FOREIGN KEY (activity_id) REFERENCES activity (id),
  CONSTRAINT service_record_attendance_id_fk FOREIGN KEY (attendance_id) REFERENCES attendance (id),
  CONSTRAINT service_record_kind_check CHECK (kind IN ('attendance', 'manual') AND (kind = 'attendance') = (attendance_id IS NOT NULL)),
  CONSTRAINT service_record_state_check CHECK (state IN ('effective', 'pending_approval', 'rejected')),
  CONSTRAINT service_record_approval_check CHECK (approval IN ('none', 'second_person', 'long_day') AND (kind <> 'manual' OR approval <> 'none')),
  CONSTRAINT service_record_decided_check CHECK ((approval = 'none' AND state = 'effective' AND decided_by IS NULL) OR (approval <> 'none' AND (state = 'pending_approval') = (decided_by IS NULL))),
  CONSTRAINT service_record_second_person_check CHECK (decided_by IS NULL OR decided_by <> recorder_id),
  CONSTRAINT service_record_points_check CHECK (earns_points = 0 OR (earns_points = 1 AND kind = 'attendance')),
  CONSTRAINT service_record_minutes_check CHECK (started_at < ended_at AND minutes > 0 AND minutes * 60000000 <= ended_at - started_at),
  CONSTRAINT service_record_quality_rating_check CHECK (quality_rating IS NULL OR quality_rating BETWEEN 1 AND 5)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE service_record;
