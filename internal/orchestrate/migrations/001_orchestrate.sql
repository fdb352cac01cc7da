-- +goose Up

CREATE TABLE orchestrate_workloads (
	name TEXT PRIMARY KEY,
	service TEXT NOT NULL,
	current_revision INTEGER NOT NULL, -- the last one that became ready; 0 if none has
	desired_revision INTEGER NOT NULL, -- the one that should run now; 0 for none
	latest_revision INTEGER NOT NULL,
	generation BIGINT NOT NULL, -- counts the wishes to start anew
	synced TEXT NOT NULL -- the manifest last taken from the operations directory
);

CREATE TABLE orchestrate_revisions (
	workload TEXT NOT NULL,
	revision INTEGER NOT NULL,
	version TEXT NOT NULL,
	manifest TEXT NOT NULL,
	actor TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	action TEXT NOT NULL, -- deploy, rollback
	run TEXT NOT NULL,
	replaced INTEGER NOT NULL, -- the revision that was current before it
	state TEXT NOT NULL, -- pending, good, failed
	fault TEXT NOT NULL,
	PRIMARY KEY (workload, revision)
);

-- Also for names that others refer to before the workload is there.
CREATE TABLE orchestrate_ports (
	name TEXT PRIMARY KEY,
	port INTEGER NOT NULL UNIQUE
);

-- +goose Down
DROP TABLE orchestrate_ports;
DROP TABLE orchestrate_revisions;
DROP TABLE orchestrate_workloads;
