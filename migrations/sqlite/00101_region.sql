-- +goose Up
CREATE TABLE region (
  id TEXT NOT NULL PRIMARY KEY,
  code TEXT NOT NULL,
  parent_id TEXT NULL REFERENCES region (id),
  level TEXT NOT NULL CHECK (level IN ('county', 'town', 'village', 'grid', 'microgrid', 'building')),
  name TEXT NOT NULL CHECK (name <> ''),
  path TEXT NOT NULL,
  boundary_geojson TEXT NULL,
  min_lon DOUBLE NULL,
  max_lon DOUBLE NULL,
  min_lat DOUBLE NULL,
  max_lat DOUBLE NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT region_bounds_check CHECK (boundary_geojson IS NULL OR (
    min_lon IS NOT NULL AND max_lon IS NOT NULL AND min_lat IS NOT NULL AND max_lat IS NOT NULL
    AND min_lon <= max_lon AND min_lat <= max_lat))
);
-- +goose StatementBegin
CREATE UNIQUE INDEX region_code_key ON region (code);
CREATE UNIQUE INDEX region_path_key ON region (path);
CREATE INDEX region_parent_id_idx ON region (parent_id, code);
CREATE INDEX region_bounds_idx ON region (min_lat, max_lat, min_lon, max_lon);
-- +goose StatementEnd

-- +goose Down
DROP TABLE region;
