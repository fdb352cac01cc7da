-- +goose Up

CREATE TABLE runs (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	title TEXT NOT NULL,
	service TEXT NOT NULL,
	actor TEXT NOT NULL,
	exclusive TEXT NOT NULL,
	status TEXT NOT NULL,
	error TEXT NOT NULL,
	canceled_by TEXT NOT NULL,
	input TEXT NOT NULL,
	output TEXT NOT NULL,
	timeout BIGINT NOT NULL, -- nanoseconds; 0 for none
	queued_at BIGINT NOT NULL,
	started_at BIGINT NOT NULL,
	finished_at BIGINT NOT NULL,
	crashes INTEGER NOT NULL, -- since a step last succeeded
	revision BIGINT NOT NULL -- counts every change of the run or its steps
);
CREATE INDEX runs_by_status ON runs (status, id);
CREATE INDEX runs_by_kind ON runs (kind, id);
CREATE INDEX runs_by_service ON runs (service, id);

CREATE TABLE run_steps (
	run_id TEXT NOT NULL,
	path TEXT NOT NULL,
	position INTEGER NOT NULL, -- in the order of beginning
	parent TEXT NOT NULL,
	name TEXT NOT NULL,
	depth INTEGER NOT NULL,
	status TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	started_at BIGINT NOT NULL,
	finished_at BIGINT NOT NULL,
	error TEXT NOT NULL,
	output TEXT NOT NULL,
	PRIMARY KEY (run_id, path)
);

CREATE TABLE run_lines (
	run_id TEXT NOT NULL,
	seq BIGINT NOT NULL,
	time BIGINT NOT NULL,
	step TEXT NOT NULL,
	stream TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (run_id, seq)
);

-- +goose Down
DROP TABLE run_lines;
DROP TABLE run_steps;
DROP TABLE runs;
