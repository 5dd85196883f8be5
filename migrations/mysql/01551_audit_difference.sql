-- +goose Up
CREATE TABLE audit_difference (
  id CHAR(26) NOT NULL PRIMARY KEY,
  run_id CHAR(26) NOT NULL,
  section VARCHAR(32) NOT NULL,
  check_name VARCHAR(128) NOT NULL,
  object_id VARCHAR(128) NOT NULL,
  account_id VARCHAR(32) NOT NULL,
  seq BIGINT NOT NULL,
  want BIGINT NOT NULL,
  got BIGINT NOT NULL,
  note VARCHAR(1000) NOT NULL,
  KEY audit_difference_run_id_idx (run_id, id),
  CONSTRAINT audit_difference_run_id_fk FOREIGN KEY (run_id) REFERENCES audit_run (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE audit_difference;
