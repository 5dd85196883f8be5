-- +goose Up
-- What two persons decided, newest first: few rows among many.
CREATE INDEX service_record_approval_idx ON service_record (approval, id);

-- +goose Down
DROP INDEX service_record_approval_idx ON service_record;
