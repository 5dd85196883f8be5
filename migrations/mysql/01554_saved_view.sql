-- +goose Up
-- How somebody wants to see a list again. slot bounds how many there are; one of them opens the list.
CREATE TABLE saved_view (
  id CHAR(26) NOT NULL PRIMARY KEY,
  staff_id CHAR(26) NOT NULL,
  list_name VARCHAR(64) NOT NULL,
  slot BIGINT NOT NULL,
  name VARCHAR(20) NOT NULL,
  default_slot BIGINT NULL,
  filters VARCHAR(4000) NOT NULL,
  column_keys VARCHAR(2000) NOT NULL,
  sort_key VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE KEY saved_view_slot_key (staff_id, list_name, slot),
  UNIQUE KEY saved_view_name_key (staff_id, list_name, name),
  UNIQUE KEY saved_view_default_slot_key (staff_id, list_name, default_slot),
  CONSTRAINT saved_view_staff_id_fk FOREIGN KEY (staff_id) REFERENCES staff (id),
  CONSTRAINT saved_view_slot_check CHECK (slot BETWEEN 1 AND 20),
  CONSTRAINT saved_view_default_slot_check CHECK (default_slot IS NULL OR default_slot = 1)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE saved_view;
