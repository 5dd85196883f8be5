-- +goose Up
-- Reports nearby are looked for in a box around a position.
CREATE INDEX case_file_county_id_lon_idx ON case_file (county_id, lon, lat);

-- +goose Down
DROP INDEX case_file_county_id_lon_idx;
