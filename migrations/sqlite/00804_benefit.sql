-- +goose Up
CREATE TABLE benefit (
  id TEXT NOT NULL PRIMARY KEY,
  merchant_id TEXT NOT NULL REFERENCES merchant (id),
  region_id TEXT NOT NULL REFERENCES region (id),
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  category TEXT NOT NULL,
  image_key TEXT NOT NULL DEFAULT '',
  points_price BIGINT NOT NULL,
  cash_price_fen BIGINT NOT NULL,
  original_price_fen BIGINT NOT NULL,
  subsidy_fen BIGINT NOT NULL,
  per_person_limit BIGINT NOT NULL,
  redeem_days BIGINT NULL,
  redeem_until BIGINT NULL,
  valid_from BIGINT NOT NULL,
  valid_until BIGINT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('draft', 'pending_review', 'published', 'rejected', 'paused', 'ended')),
  published_at BIGINT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT benefit_price_check CHECK (points_price BETWEEN 1 AND 1000000 AND cash_price_fen >= 0 AND original_price_fen >= cash_price_fen),
  CONSTRAINT benefit_subsidy_check CHECK (subsidy_fen BETWEEN 0 AND original_price_fen - cash_price_fen),
  CONSTRAINT benefit_limit_check CHECK (per_person_limit BETWEEN 1 AND 100),
  CONSTRAINT benefit_deadline_check CHECK ((redeem_days IS NULL) <> (redeem_until IS NULL) AND (redeem_days IS NULL OR redeem_days BETWEEN 0 AND 366) AND (redeem_until IS NULL OR redeem_until >= valid_until)),
  CONSTRAINT benefit_validity_check CHECK (valid_from < valid_until),
  CONSTRAINT benefit_published_check CHECK (status NOT IN ('published', 'paused') OR published_at IS NOT NULL)
);
-- +goose StatementBegin
CREATE INDEX benefit_region_id_newest_idx ON benefit (region_id, status, published_at, id);
CREATE INDEX benefit_region_id_points_idx ON benefit (region_id, status, points_price, id);
CREATE INDEX benefit_merchant_id_idx ON benefit (merchant_id, id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE benefit;
