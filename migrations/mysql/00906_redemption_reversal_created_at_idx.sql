-- +goose Up
-- Closing a period asks for everything of a day, whatever the merchant.
CREATE INDEX redemption_reversal_created_at_idx ON redemption_reversal (created_at, merchant_id);

-- +goose Down
DROP INDEX redemption_reversal_created_at_idx ON redemption_reversal;
