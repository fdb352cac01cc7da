-- added names the annotations, with commas between, that neither the rule nor the sender gave.
-- +goose Up
ALTER TABLE alerts ADD COLUMN added TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE alerts DROP COLUMN added;
