-- +goose Up

CREATE TABLE incidents (
	id TEXT PRIMARY KEY,
	number BIGINT NOT NULL UNIQUE,
	service TEXT NOT NULL,
	title TEXT NOT NULL,
	severity TEXT NOT NULL,
	status TEXT NOT NULL,
	opened_by TEXT NOT NULL, -- empty: an alert
	opened_at BIGINT NOT NULL,
	acknowledged_at BIGINT NOT NULL DEFAULT 0,
	acknowledged_by TEXT NOT NULL DEFAULT '',
	resolved_at BIGINT NOT NULL DEFAULT 0,
	resolved_by TEXT NOT NULL DEFAULT '',
	escalation TEXT NOT NULL,         -- JSON: the policy as it was when the incident opened
	step INTEGER NOT NULL DEFAULT 0,  -- of the escalation: the next to take
	next_at BIGINT NOT NULL           -- when to take it; 0: there is none
);
CREATE UNIQUE INDEX incidents_one_open ON incidents (service) WHERE status <> 'resolved';
CREATE INDEX incidents_next ON incidents (next_at) WHERE next_at > 0;

CREATE TABLE incident_alerts (
	incident_id TEXT NOT NULL,
	alert_id TEXT NOT NULL,
	title TEXT NOT NULL,
	status TEXT NOT NULL, -- firing, resolved
	at BIGINT NOT NULL,   -- when it came into that status
	PRIMARY KEY (incident_id, alert_id)
);
CREATE INDEX incident_alerts_by_alert ON incident_alerts (alert_id);

-- One row is one need to reach one person at one address; its id goes along
-- with every attempt.
CREATE TABLE pages (
	id TEXT PRIMARY KEY,
	incident_id TEXT NOT NULL,
	step INTEGER NOT NULL,
	level INTEGER NOT NULL, -- 0: the last resort
	person TEXT NOT NULL,
	channel TEXT NOT NULL,
	address TEXT NOT NULL,
	status TEXT NOT NULL,   -- due, sending, retry, sent, exhausted, canceled
	attempts INTEGER NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL,
	at BIGINT NOT NULL,      -- when it came into its status
	wake_at BIGINT NOT NULL, -- due, retry: when to send; sending: when the lease ends; 0: done
	error TEXT NOT NULL DEFAULT '',
	UNIQUE (incident_id, step, person, channel, address)
);
CREATE INDEX pages_wake ON pages (wake_at) WHERE wake_at > 0;

CREATE TABLE incident_log (
	incident_id TEXT NOT NULL,
	seq BIGINT NOT NULL,
	at BIGINT NOT NULL,
	action TEXT NOT NULL,
	actor TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (incident_id, seq)
);

-- +goose Down
DROP TABLE incident_log;
DROP TABLE pages;
DROP TABLE incident_alerts;
DROP TABLE incidents;
