-- +goose Up
-- How many subscribe messages a resident still allows: WeChat grants one message per consent. remaining is
-- unsigned besides its CHECK: TiDB ignores CHECK by default.
CREATE TABLE subscribe_quota (
  resident_id CHAR(26) NOT NULL,
  template_id VARCHAR(128) NOT NULL,
  remaining BIGINT UNSIGNED NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (resident_id, template_id),
  CONSTRAINT subscribe_quota_resident_id_fk FOREIGN KEY (resident_id) REFERENCES resident (id),
  CONSTRAINT subscribe_quota_remaining_check CHECK (remaining >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE subscribe_quota;
