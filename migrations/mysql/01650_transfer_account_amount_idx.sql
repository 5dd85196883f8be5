-- +goose Up
-- With the amount in the key, the audit sums an account's transfers without
-- looking for each of them in the table.
ALTER TABLE transfer
  ADD KEY transfer_debit_account_id_amount_idx (debit_account_id, id, amount),
  ADD KEY transfer_credit_account_id_amount_idx (credit_account_id, id, amount);

-- +goose Down
ALTER TABLE transfer
  DROP KEY transfer_debit_account_id_amount_idx,
  DROP KEY transfer_credit_account_id_amount_idx;
