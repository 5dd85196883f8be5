-- +goose Up
CREATE TABLE staff_grant (
  id TEXT NOT NULL PRIMARY KEY,
  staff_id TEXT NOT NULL REFERENCES staff (id),
  role TEXT NOT NULL,
  region_id TEXT NULL REFERENCES region (id),
  merchant_id TEXT NULL,
  scope_region_id TEXT NOT NULL REFERENCES region (id),
  granted_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT staff_grant_scope_check CHECK (
    (role IN ('operator', 'auditor', 'organizer', 'grid_worker') AND region_id IS NOT NULL AND merchant_id IS NULL AND scope_region_id = region_id)
    OR (role IN ('merchant_owner', 'clerk') AND region_id IS NULL AND merchant_id IS NOT NULL))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX staff_grant_staff_id_role_region_id_key ON staff_grant (staff_id, role, region_id);
CREATE UNIQUE INDEX staff_grant_staff_id_role_merchant_id_key ON staff_grant (staff_id, role, merchant_id);
CREATE INDEX staff_grant_merchant_id_idx ON staff_grant (merchant_id, role);
CREATE INDEX staff_grant_region_id_idx ON staff_grant (region_id, role);
CREATE INDEX staff_grant_scope_region_id_idx ON staff_grant (scope_region_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE staff_grant;
