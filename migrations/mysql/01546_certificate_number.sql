-- +goose Up
-- The last number that a county gave out in a year.
CREATE TABLE certificate_number (
  county_id CHAR(26) NOT NULL,
  year BIGINT NOT NULL,
  last_number BIGINT NOT NULL,
  PRIMARY KEY (county_id, year),
  CONSTRAINT certificate_number_county_id_fk FOREIGN KEY (county_id) REFERENCES region (id),
  CONSTRAINT certificate_number_last_number_check CHECK (last_number BETWEEN 0 AND 999999)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE certificate_number;
