-- +goose Up
ALTER TABLE incidents ADD COLUMN resolve_at BIGINT NOT NULL DEFAULT 0; -- when it is resolved if it is still open; 0: never by itself
CREATE INDEX incidents_resolve ON incidents (resolve_at) WHERE resolve_at > 0;
CREATE INDEX incidents_status ON incidents (status, number);
CREATE INDEX incidents_service ON incidents (service, number);
DROP TABLE alert_groupings;

-- +goose Down
CREATE TABLE alert_groupings (service TEXT PRIMARY KEY, grouping_rule TEXT NOT NULL);
DROP INDEX incidents_service;
DROP INDEX incidents_status;
DROP INDEX incidents_resolve;
ALTER TABLE incidents DROP COLUMN resolve_at;
