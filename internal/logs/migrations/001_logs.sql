-- +goose Up

-- What shippers of Elasticsearch set up: templates, policies, empty indices.
CREATE TABLE logs_documents (
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (kind, name)
);

-- Searches that people keep; those with a threshold are watched.
CREATE TABLE logs_searches (
	id TEXT PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	query TEXT NOT NULL,
	language TEXT NOT NULL,
	columns TEXT NOT NULL,          -- JSON list of field names
	created_by TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	threshold BIGINT NOT NULL DEFAULT 0, -- 0: not watched
	window_seconds BIGINT NOT NULL DEFAULT 0,
	severity TEXT NOT NULL DEFAULT '',
	service TEXT NOT NULL DEFAULT ''
);

-- +goose Down
DROP TABLE logs_searches;
DROP TABLE logs_documents;
