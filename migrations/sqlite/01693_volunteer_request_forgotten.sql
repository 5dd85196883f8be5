-- +goose Up
-- Those about residents who have left since.
DELETE FROM volunteer_request WHERE resident_id IN (SELECT id FROM resident WHERE status = 'deleted');

-- +goose Down
SELECT 1;
