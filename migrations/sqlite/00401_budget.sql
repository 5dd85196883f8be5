-- +goose Up
CREATE TABLE budget (
  id TEXT NOT NULL PRIMARY KEY,
  region_id TEXT NOT NULL REFERENCES region (id),
  name TEXT NOT NULL,
  starts_on TEXT NOT NULL,
  ends_on TEXT NOT NULL,
  limit_points BIGINT NOT NULL CHECK (limit_points > 0),
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  CHECK (starts_on <= ends_on)
);
-- +goose StatementBegin
CREATE INDEX budget_region_id_idx ON budget (region_id, starts_on);
CREATE UNIQUE INDEX budget_region_id_name_key ON budget (region_id, name);
-- +goose StatementEnd

-- +goose Down
DROP TABLE budget;
