-- +goose Up
-- A proof of service hours: requested by the volunteer, issued or refused by an organizer. The name is not copied: it is
-- sealed in resident, and goes with the account.
CREATE TABLE certificate (
  id TEXT NOT NULL PRIMARY KEY,
  resident_id TEXT NOT NULL REFERENCES resident (id),
  region_id TEXT NOT NULL REFERENCES region (id),
  open_slot BIGINT NULL,
  state TEXT NOT NULL,
  purpose TEXT NOT NULL,
  from_day TEXT NOT NULL,
  to_day TEXT NOT NULL,
  volunteer_number TEXT NOT NULL,
  number TEXT NULL,
  check_code TEXT NULL,
  issuer TEXT NOT NULL,
  issued_on TEXT NULL,
  handler_id TEXT NULL,
  handler_name TEXT NOT NULL,
  handler_phone TEXT NOT NULL,
  record_count BIGINT NOT NULL,
  total_minutes BIGINT NOT NULL,
  reason TEXT NOT NULL,
  decided_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CHECK (state IN ('requested', 'issued', 'refused', 'withdrawn', 'revoked')),
  CHECK ((state IN ('issued', 'revoked')) = (number IS NOT NULL AND check_code IS NOT NULL AND issued_on IS NOT NULL AND handler_id IS NOT NULL)),
  CHECK ((open_slot IS NOT NULL AND open_slot = 1) = (state = 'requested')),
  CHECK (from_day <= to_day),
  CHECK (record_count >= 0 AND total_minutes >= 0 AND (number IS NULL OR record_count > 0))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX certificate_resident_id_open_key ON certificate (resident_id, open_slot);
CREATE UNIQUE INDEX certificate_number_key ON certificate (number);
CREATE INDEX certificate_region_id_idx ON certificate (region_id, state, id);
CREATE INDEX certificate_resident_id_idx ON certificate (resident_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE certificate;
