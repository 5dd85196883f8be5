-- +goose Up
-- The keys of 01650 serve what these did.
DROP INDEX transfer_debit_account_id_idx;
DROP INDEX transfer_credit_account_id_idx;

-- +goose Down
CREATE INDEX transfer_debit_account_id_idx ON transfer (debit_account_id, id);
CREATE INDEX transfer_credit_account_id_idx ON transfer (credit_account_id, id);
