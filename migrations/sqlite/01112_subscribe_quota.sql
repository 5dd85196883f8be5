-- +goose Up
-- How many subscribe messages a resident still allows: WeChat grants one message per consent.
CREATE TABLE subscribe_quota (
  resident_id TEXT NOT NULL REFERENCES resident (id),
  template_id TEXT NOT NULL,
  remaining BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (resident_id, template_id),
  CONSTRAINT subscribe_quota_remaining_check CHECK (remaining >= 0)
);

-- +goose Down
DROP TABLE subscribe_quota;
