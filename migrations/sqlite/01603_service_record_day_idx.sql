-- +goose Up
-- Service records are sorted and narrowed by the day of the service.
CREATE INDEX service_record_day_idx ON service_record (day, id);

-- +goose Down
DROP INDEX service_record_day_idx;
