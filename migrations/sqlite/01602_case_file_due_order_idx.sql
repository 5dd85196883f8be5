-- +goose Up
CREATE INDEX case_file_due_order_idx ON case_file (due_order, id);

-- +goose Down
DROP INDEX case_file_due_order_idx;
