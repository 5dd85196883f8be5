-- +goose Up
CREATE TABLE case_number (
  county_id CHAR(26) NOT NULL,
  day CHAR(10) NOT NULL,
  last_number BIGINT NOT NULL,
  PRIMARY KEY (county_id, day),
  CONSTRAINT case_number_county_id_fk FOREIGN KEY (county_id) REFERENCES region (id),
  CONSTRAINT case_number_last_number_check CHECK (last_number >= 1)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE case_number;
