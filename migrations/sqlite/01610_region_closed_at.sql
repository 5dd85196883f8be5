-- +goose Up
-- A region that is closed stays, for what happened in it; successor_id is the one that took in what was open.
-- +goose StatementBegin
ALTER TABLE region ADD COLUMN closed_at BIGINT NULL;
ALTER TABLE region ADD COLUMN successor_id TEXT NULL REFERENCES region (id) CHECK (successor_id IS NULL OR closed_at IS NOT NULL);
CREATE INDEX region_successor_id_idx ON region (successor_id);
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP INDEX region_successor_id_idx;
ALTER TABLE region DROP COLUMN successor_id;
ALTER TABLE region DROP COLUMN closed_at;
-- +goose StatementEnd
