-- +goose Up
-- A region that is closed stays, for what happened in it; successor_id is the one that took in what was open.
ALTER TABLE region
  ADD COLUMN closed_at BIGINT NULL,
  ADD COLUMN successor_id CHAR(26) NULL,
  ADD KEY region_successor_id_idx (successor_id),
  ADD CONSTRAINT region_successor_id_fk FOREIGN KEY (successor_id) REFERENCES region (id),
  ADD CONSTRAINT region_successor_check CHECK (successor_id IS NULL OR closed_at IS NOT NULL);

-- +goose Down
ALTER TABLE region
  DROP CONSTRAINT region_successor_check,
  DROP FOREIGN KEY region_successor_id_fk,
  DROP KEY region_successor_id_idx,
  DROP COLUMN successor_id,
  DROP COLUMN closed_at;
