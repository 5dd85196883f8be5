-- +goose Up
-- What corrections of service records changed on the day that they took effect, up or down: a figure of its own,
-- so that a day's minutes of service are never less than none. Days counted before have it within service_minutes.
ALTER TABLE insight_region_day ADD COLUMN corrected_minutes BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE insight_region_day DROP COLUMN corrected_minutes;
