-- +goose Up
-- An award that the budget could not pay is paid later by a row of its own: pays_id names the
-- first, whose status stays as it was; paid_at says since when it waits no more.
-- +goose StatementBegin
ALTER TABLE award ADD COLUMN pays_id TEXT NULL REFERENCES award (id);
ALTER TABLE award ADD COLUMN paid_at BIGINT NULL;
CREATE UNIQUE INDEX award_pays_id_key ON award (pays_id);
CREATE INDEX award_due_idx ON award (status, paid_at, id);
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP INDEX award_due_idx;
DROP INDEX award_pays_id_key;
ALTER TABLE award DROP COLUMN paid_at;
ALTER TABLE award DROP COLUMN pays_id;
-- +goose StatementEnd
