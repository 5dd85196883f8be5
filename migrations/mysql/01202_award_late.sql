-- +goose Up
-- An award that the budget could not pay is paid later by a row of its own: pays_id names the
-- first, whose status stays as it was; paid_at says since when it waits no more.
ALTER TABLE award
  ADD COLUMN pays_id CHAR(26) NULL,
  ADD COLUMN paid_at BIGINT NULL,
  ADD UNIQUE KEY award_pays_id_key (pays_id),
  ADD KEY award_due_idx (status, paid_at, id),
  ADD CONSTRAINT award_pays_id_fk FOREIGN KEY (pays_id) REFERENCES award (id);

-- +goose Down
ALTER TABLE award
  DROP FOREIGN KEY award_pays_id_fk,
  DROP KEY award_due_idx,
  DROP KEY award_pays_id_key,
  DROP COLUMN paid_at,
  DROP COLUMN pays_id;
