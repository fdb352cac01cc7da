-- +goose Up
ALTER TABLE catalog_entries ADD COLUMN updated_by TEXT NOT NULL DEFAULT ''; -- who saved it last; empty: daytwo

-- +goose Down
ALTER TABLE catalog_entries DROP COLUMN updated_by;
