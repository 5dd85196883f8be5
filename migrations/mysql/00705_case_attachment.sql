-- +goose Up
CREATE TABLE case_attachment (
  attachment_id CHAR(26) NOT NULL PRIMARY KEY,
  case_id CHAR(26) NOT NULL,
  seq BIGINT NOT NULL,
  position BIGINT NOT NULL,
  UNIQUE KEY case_attachment_case_id_seq_position_key (case_id, seq, position),
  CONSTRAINT case_attachment_attachment_id_fk FOREIGN KEY (attachment_id) REFERENCES attachment (id),
  CONSTRAINT case_attachment_case_id_fk FOREIGN KEY (case_id) REFERENCES case_file (id),
  CONSTRAINT case_attachment_position_check CHECK (position BETWEEN 0 AND 8)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down
DROP TABLE case_attachment;
