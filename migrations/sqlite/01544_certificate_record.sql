-- +goose Up
-- The records that a certificate covers; their texts never change.
CREATE TABLE certificate_record (
  certificate_id TEXT NOT NULL REFERENCES certificate (id),
  record_id TEXT NOT NULL REFERENCES service_record (id),
  PRIMARY KEY (certificate_id, record_id)
);
-- +goose StatementBegin
CREATE INDEX certificate_record_record_id_idx ON certificate_record (record_id);
-- +goose StatementEnd

-- +goose Down
DROP TABLE certificate_record;
