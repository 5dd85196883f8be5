-- +goose Up
-- Answers about one resident say so; those about many are lists of ids.
UPDATE volunteer_request SET resident_id = json_extract(answer, '$.ResidentID') WHERE answer LIKE '{%"ResidentID":%';

-- +goose Down
UPDATE volunteer_request SET resident_id = NULL;
