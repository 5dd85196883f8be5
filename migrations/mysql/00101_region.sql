-- +goose Up
CREATE TABLE region (
  id CHAR(26) NOT NULL PRIMARY KEY,
  code VARCHAR(32) NOT NULL,
  parent_id CHAR(26) NULL,
  level VARCHAR(16) NOT NULL,
  name VARCHAR(64) NOT NULL,
  path VARCHAR(191) NOT NULL,
  boundary_geojson MEDIUMTEXT NULL,
  min_lon DOUBLE NULL,
  max_lon DOUBLE NULL,
  min_lat DOUBLE NULL,
  max_lat DOUBLE NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY region_code_key (code),
  UNIQUE KEY region_path_key (path),
  KEY region_parent_id_idx (parent_id, code),
  KEY region_bounds_idx (min_lat, max_lat, min_lon, max_lon),
  CONSTRAINT region_parent_id_fk FOREIGN KEY (parent_id) REFERENCES region (id),
  CONSTRAINT region_level_check CHECK (level IN ('county', 'town', 'village', 'grid', 'microgrid', 'building')),
  CONSTRAINT region_name_check CHECK (name <> ''),
  CONSTRAINT region_bounds_check CHECK (boundary_geojson IS NULL OR (
    min_lon IS NOT NULL AND max_lon IS NOT NULL AND min_lat IS NOT NULL AND max_lat IS NOT NULL
    AND min_lon <= max_lon AND min_lat <= max_lat))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE region;
