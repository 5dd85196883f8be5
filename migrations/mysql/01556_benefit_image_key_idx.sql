-- +goose Up
-- Which pictures are used: asked each night.
CREATE INDEX benefit_image_key_idx ON benefit (image_key);

-- +goose Down
DROP INDEX benefit_image_key_idx ON benefit;
