-- +goose Up
CREATE TABLE region (
  id TEXT NOT NULL PRIMARY KEY,
  code TEXT NOT NULL,
  parent_id TEXT NULL REFERENCES region (id),
  level TEXT NOT NULL CHECK (level IN ('county', 'town', 'village', 'grid', 'microgrid', 'building')),
  name TEXT NOT NULL CHECK (name <> ''),
  path TEXT NOT NULL,
  boundary_geojson TEXT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE UNIQUE INDEX region_code_key ON region (code);
CREATE UNIQUE INDEX region_path_key ON region (path);
CREATE INDEX region_parent_id_idx ON region (parent_id, code);
-- +goose StatementEnd

-- +goose Down
DROP TABLE region;
