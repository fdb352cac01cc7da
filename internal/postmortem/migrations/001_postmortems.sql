-- +goose Up

CREATE TABLE postmortems (
	id TEXT PRIMARY KEY,
	incident_id TEXT NOT NULL UNIQUE,
	service TEXT NOT NULL,
	status TEXT NOT NULL, -- draft, published
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	facts TEXT NOT NULL,   -- JSON: what daytwo knows, fixed at the draft
	written TEXT NOT NULL, -- JSON: what people wrote
	timeline TEXT NOT NULL -- JSON: the entries, fixed at the draft
);
CREATE INDEX postmortems_by_service ON postmortems (service, id);

-- +goose Down
DROP TABLE postmortems;
