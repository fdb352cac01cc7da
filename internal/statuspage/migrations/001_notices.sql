-- +goose Up
-- What the public is told by hand.
CREATE TABLE status_notices (
	id TEXT PRIMARY KEY,
	incident_id TEXT NOT NULL,   -- that it tells of; empty: none
	started_at BIGINT NOT NULL,
	resolved_at BIGINT NOT NULL, -- 0: it lasts
	notice TEXT NOT NULL         -- JSON
);
CREATE INDEX status_notices_resolved ON status_notices (resolved_at);

-- +goose Down
DROP TABLE status_notices;
