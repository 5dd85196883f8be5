-- +goose Up
-- A proof of service hours: requested by the volunteer, issued or refused by an organizer. The name is not copied: it is
-- sealed in resident, and goes with the account.
CREATE TABLE certificate (
  id CHAR(26) NOT NULL PRIMARY KEY,
  resident_id CHAR(26) NOT NULL,
  region_id CHAR(26) NOT NULL,
  open_slot BIGINT NULL,
  state VARCHAR(16) NOT NULL,
  purpose VARCHAR(100) NOT NULL,
  from_day CHAR(10) NOT NULL,
  to_day CHAR(10) NOT NULL,
  volunteer_number VARCHAR(32) NOT NULL,
  number VARCHAR(48) NULL,
  check_code VARCHAR(16) NULL,
  issuer VARCHAR(130) NOT NULL,
  issued_on CHAR(10) NULL,
  handler_id VARCHAR(64) NULL,
  handler_name VARCHAR(64) NOT NULL,
  handler_phone VARCHAR(20) NOT NULL,
  record_count BIGINT NOT NULL,
  total_minutes BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  decided_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY certificate_resident_id_open_key (resident_id, open_slot),
  UNIQUE KEY certificate_number_key (number),
  KEY certificate_region_id_idx (region_id, state, id),
  KEY certificate_resident_id_idx (resident_id, id),
  CONSTRAINT certificate_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT certificate_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT certificate_state_check CHECK (state IN ('requested', 'issued', 'refused', 'withdrawn', 'revoked')),
  CONSTRAINT certificate_issued_check CHECK ((state IN ('issued', 'revoked')) = (number IS NOT NULL AND check_code IS NOT NULL AND issued_on IS NOT NULL AND handler_id IS NOT NULL)),
  CONSTRAINT certificate_open_slot_check CHECK ((open_slot IS NOT NULL AND open_slot = 1) = (state = 'requested')),
  CONSTRAINT certificate_period_check CHECK (from_day <= to_day),
  CONSTRAINT certificate_total_check CHECK (record_count >= 0 AND total_minutes >= 0 AND (number IS NULL OR record_count > 0))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE certificate;
