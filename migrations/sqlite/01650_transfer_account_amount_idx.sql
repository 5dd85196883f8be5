-- +goose Up
-- With the amount in the key, the audit sums an account's transfers without
-- looking for each of them in the table.
CREATE INDEX transfer_debit_account_id_amount_idx ON transfer (debit_account_id, id, amount);
CREATE INDEX transfer_credit_account_id_amount_idx ON transfer (credit_account_id, id, amount);

-- +goose Down
DROP INDEX transfer_debit_account_id_amount_idx;
DROP INDEX transfer_credit_account_id_amount_idx;
