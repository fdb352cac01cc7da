-- +goose Up

CREATE TABLE alerts (
	id TEXT PRIMARY KEY,
	rule TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	name TEXT NOT NULL,
	service TEXT NOT NULL,
	severity TEXT NOT NULL,
	state TEXT NOT NULL,
	labels TEXT NOT NULL,
	annotations TEXT NOT NULL,
	value DOUBLE PRECISION,
	starts_at BIGINT NOT NULL,
	ends_at BIGINT NOT NULL,
	ended TEXT NOT NULL,
	expr TEXT NOT NULL,
	source TEXT NOT NULL
);
-- What a rule says about one set of labels is one alert as long as it lasts.
CREATE UNIQUE INDEX alerts_firing ON alerts (rule, fingerprint) WHERE state = 'firing';
CREATE INDEX alerts_by_time ON alerts (starts_at, id);
CREATE INDEX alerts_by_service ON alerts (service, starts_at, id);

-- +goose Down
DROP TABLE alerts;
