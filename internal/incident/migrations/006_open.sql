-- +goose Up
CREATE INDEX incidents_open ON incidents (number) WHERE status <> 'resolved'; -- the list that people look at most
ALTER TABLE event_rules ADD COLUMN updated_by TEXT NOT NULL DEFAULT '';       -- who saved it last

-- +goose Down
ALTER TABLE event_rules DROP COLUMN updated_by;
DROP INDEX incidents_open;
