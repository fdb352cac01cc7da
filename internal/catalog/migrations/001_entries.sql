-- +goose Up

-- What was made through the API. Each row is one entry as JSON; what a file declares is not here, except what has to outlive it:
-- the history of its schedules, and the keys made for its integrations.
CREATE TABLE catalog_entries (
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	parent TEXT NOT NULL DEFAULT '', -- the id of what it belongs to: of the person of a contact, the schedule of an override
	data TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (kind, id)
);

-- Counts the changes, so that another process sees that there was one.
CREATE TABLE catalog_version (id INTEGER PRIMARY KEY, version BIGINT NOT NULL);
INSERT INTO catalog_version (id, version) VALUES (1, 0);

-- +goose Down
DROP TABLE catalog_version;
DROP TABLE catalog_entries;
