-- +goose Up
CREATE TABLE case_file (
  id TEXT NOT NULL PRIMARY KEY,
  county_id TEXT NOT NULL REFERENCES region (id),
  number TEXT NOT NULL,
  kind TEXT NOT NULL,
  category TEXT NOT NULL,
  title TEXT NOT NULL DEFAULT '',
  content TEXT NOT NULL,
  region_id TEXT NOT NULL REFERENCES region (id),
  address TEXT NOT NULL DEFAULT '',
  lon DOUBLE NULL,
  lat DOUBLE NULL,
  position_until BIGINT NULL,
  reporter_id TEXT NOT NULL REFERENCES resident (id),
  content_status TEXT NOT NULL,
  status TEXT NOT NULL,
  version BIGINT NOT NULL,
  assignee_id TEXT NULL REFERENCES staff (id),
  due_at BIGINT NULL,
  confirm_by BIGINT NULL,
  handled_at BIGINT NULL,
  verified_at BIGINT NULL,
  earns BIGINT NOT NULL DEFAULT 0,
  reopens BIGINT NOT NULL DEFAULT 0,
  rating BIGINT NULL,
  idempotency_key TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT case_file_kind_check CHECK (kind IN ('report', 'dispute')),
  CONSTRAINT case_file_content_status_check CHECK (content_status IN ('pending', 'passed', 'rejected')),
  CONSTRAINT case_file_status_check CHECK (status IN ('submitted', 'accepted', 'dispatched', 'handling', 'handled', 'reopened', 'confirmed', 'closed', 'rejected', 'withdrawn')),
  CONSTRAINT case_file_version_check CHECK (version >= 1),
  CONSTRAINT case_file_position_check CHECK ((lon IS NULL) = (lat IS NULL) AND (lon IS NULL) = (position_until IS NULL) AND lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90),
  CONSTRAINT case_file_confirm_by_check CHECK ((status = 'handled') = (confirm_by IS NOT NULL)),
  CONSTRAINT case_file_verified_check CHECK ((status <> 'confirmed' OR verified_at IS NOT NULL) AND (verified_at IS NULL OR (handled_at IS NOT NULL AND status IN ('confirmed', 'closed')))),
  CONSTRAINT case_file_earns_check CHECK (earns IN (0, 1) AND (earns = 0 OR (verified_at IS NOT NULL AND kind = 'report'))),
  CONSTRAINT case_file_counts_check CHECK (reopens >= 0 AND rating BETWEEN 1 AND 5)
);
-- +goose StatementBegin
CREATE UNIQUE INDEX case_file_county_id_number_key ON case_file (county_id, number);
CREATE UNIQUE INDEX case_file_reporter_id_idempotency_key_key ON case_file (reporter_id, idempotency_key);
CREATE INDEX case_file_reporter_id_idx ON case_file (reporter_id, id);
CREATE INDEX case_file_region_id_idx ON case_file (region_id, status, id);
CREATE INDEX case_file_assignee_id_idx ON case_file (assignee_id, status, id);
CREATE INDEX case_file_status_idx ON case_file (status, id);
CREATE INDEX case_file_due_at_idx ON case_file (due_at, region_id);
CREATE INDEX case_file_confirm_by_idx ON case_file (confirm_by);
CREATE INDEX case_file_position_until_idx ON case_file (position_until);
-- +goose StatementEnd

-- +goose Down
DROP TABLE case_file;
