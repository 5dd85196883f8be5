-- +goose Up
-- The records that a certificate covers; their texts never change.
CREATE TABLE certificate_record (
  certificate_id CHAR(26) NOT NULL,
  record_id CHAR(26) NOT NULL,
  PRIMARY KEY (certificate_id, record_id),
  KEY certificate_record_record_id_idx (record_id),
  CONSTRAINT certificate_record_certificate_id_fk FOREIGN KEY (certificate_id) REFERENCES certificate (id),
  CONSTRAINT certificate_record_record_id_fk FOREIGN KEY (record_id) REFERENCES service_record (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE certificate_record;
