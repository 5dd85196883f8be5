-- +goose Up
-- The keys of 01650 serve what these did.
ALTER TABLE transfer
  DROP KEY transfer_debit_account_id_idx,
  DROP KEY transfer_credit_account_id_idx;

-- +goose Down
ALTER TABLE transfer
  ADD KEY transfer_debit_account_id_idx (debit_account_id, id),
  ADD KEY transfer_credit_account_id_idx (credit_account_id, id);
