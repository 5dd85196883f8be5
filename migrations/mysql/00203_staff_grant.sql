-- +goose Up
CREATE TABLE staff_grant (
  id CHAR(26) NOT NULL PRIMARY KEY,
  staff_id CHAR(26) NOT NULL,
  role VARCHAR(16) NOT NULL,
  region_id CHAR(26) NULL,
  merchant_id CHAR(26) NULL,
  scope_region_id CHAR(26) NOT NULL,
  granted_by VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY staff_grant_staff_id_role_region_id_key (staff_id, role, region_id),
  UNIQUE KEY staff_grant_staff_id_role_merchant_id_key (staff_id, role, merchant_id),
  KEY staff_grant_merchant_id_idx (merchant_id, role),
  KEY staff_grant_region_id_idx (region_id, role),
  KEY staff_grant_scope_region_id_idx (scope_region_id),
  CONSTRAINT staff_grant_staff_id_fk FOREIGN KEY (staff_id) REFERENCES staff (id),
  CONSTRAINT staff_grant_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT staff_grant_scope_region_id_fk FOREIGN KEY (scope_region_id) REFERENCES region (id),
  CONSTRAINT staff_grant_scope_check CHECK (
    (role IN ('operator', 'auditor', 'organizer', 'grid_worker') AND region_id IS NOT NULL AND merchant_id IS NULL AND scope_region_id = region_id)
    OR (role IN ('merchant_owner', 'clerk') AND region_id IS NULL AND merchant_id IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE staff_grant;
