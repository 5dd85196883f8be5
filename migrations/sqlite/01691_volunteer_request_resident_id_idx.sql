-- +goose Up
CREATE INDEX volunteer_request_resident_id_idx ON volunteer_request (resident_id);

-- +goose Down
DROP INDEX volunteer_request_resident_id_idx;
