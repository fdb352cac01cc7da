-- +goose Up

-- The last Seq given out. A row rather than a sequence: a rollback takes its
-- number back, and the row's lock would keep commit order even with two writers.
CREATE TABLE timeline_head (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	seq BIGINT NOT NULL
);
INSERT INTO timeline_head (one, seq) VALUES (1, 0);

CREATE TABLE timeline_entries (
	seq BIGINT PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	time BIGINT NOT NULL,
	kind TEXT NOT NULL,
	action TEXT NOT NULL,
	service TEXT NOT NULL,
	title TEXT NOT NULL,
	actor TEXT NOT NULL,
	ref TEXT NOT NULL,
	tone TEXT NOT NULL,
	data TEXT NOT NULL
);
CREATE INDEX timeline_entries_by_time ON timeline_entries (time, seq);
CREATE INDEX timeline_entries_by_service ON timeline_entries (service, time, seq);
CREATE INDEX timeline_entries_by_ref ON timeline_entries (ref, time, seq);
CREATE INDEX timeline_entries_by_kind ON timeline_entries (kind, seq);

CREATE TABLE timeline_consumers (
	name TEXT PRIMARY KEY,
	seq BIGINT NOT NULL
);

-- +goose Down
DROP TABLE timeline_consumers;
DROP TABLE timeline_entries;
DROP TABLE timeline_head;
