-- +goose Up
CREATE TABLE benefit (
  id CHAR(26) NOT NULL PRIMARY KEY,
  merchant_id CHAR(26) NOT NULL,
  region_id CHAR(26) NOT NULL,
  title VARCHAR(64) NOT NULL,
  description TEXT NOT NULL,
  category VARCHAR(32) NOT NULL,
  image_key VARCHAR(200) NOT NULL DEFAULT '',
  points_price BIGINT NOT NULL,
  cash_price_fen BIGINT NOT NULL,
  original_price_fen BIGINT NOT NULL,
  subsidy_fen BIGINT NOT NULL,
  per_person_limit BIGINT NOT NULL,
  redeem_days BIGINT NULL,
  redeem_until BIGINT NULL,
  valid_from BIGINT NOT NULL,
  valid_until BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  published_at BIGINT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  KEY benefit_region_id_newest_idx (region_id, status, published_at, id),
  KEY benefit_region_id_points_idx (region_id, status, points_price, id),
  KEY benefit_merchant_id_idx (merchant_id, id),
  CONSTRAINT benefit_merchant_id_fk FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT benefit_region_id_fk FOREIGN KEY (region_id) REFERENCES region (id),
  CONSTRAINT benefit_status_check CHECK (status IN ('draft', 'pending_review', 'published', 'rejected', 'paused', 'ended')),
  CONSTRAINT benefit_price_check CHECK (points_price BETWEEN 1 AND 1000000 AND cash_price_fen >= 0 AND original_price_fen >= cash_price_fen),
  CONSTRAINT benefit_subsidy_check CHECK (subsidy_fen BETWEEN 0 AND original_price_fen - cash_price_fen),
  CONSTRAINT benefit_limit_check CHECK (per_person_limit BETWEEN 1 AND 100),
  CONSTRAINT benefit_deadline_check CHECK ((redeem_days IS NULL) <> (redeem_until IS NULL) AND (redeem_days IS NULL OR redeem_days BETWEEN 0 AND 366) AND (redeem_until IS NULL OR redeem_until >= valid_until)),
  CONSTRAINT benefit_validity_check CHECK (valid_from < valid_until),
  CONSTRAINT benefit_published_check CHECK (status NOT IN ('published', 'paused') OR published_at IS NOT NULL)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE benefit;
