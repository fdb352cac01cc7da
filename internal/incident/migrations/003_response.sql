-- +goose Up
ALTER TABLE incidents ADD COLUMN group_key TEXT NOT NULL DEFAULT '';    -- open incidents of one service with one key are one
ALTER TABLE incidents ADD COLUMN urgency TEXT NOT NULL DEFAULT 'high';  -- high, low
ALTER TABLE incidents ADD COLUMN priority TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN cycle INTEGER NOT NULL DEFAULT 0;      -- how often its escalation began anew
ALTER TABLE incidents ADD COLUMN merged_into TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN snoozed_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN board TEXT NOT NULL DEFAULT '{}';      -- JSON: roles, tasks, responders and so on
UPDATE incidents SET group_key = common, updated_at = opened_at;
DROP INDEX incidents_one_open;
CREATE UNIQUE INDEX incidents_one_open ON incidents (service, group_key) WHERE status <> 'resolved';

ALTER TABLE pages ADD COLUMN kind TEXT NOT NULL DEFAULT '';             -- empty: escalation; responder, update
ALTER TABLE pages ADD COLUMN text TEXT NOT NULL DEFAULT '';             -- what a responder or update page says

-- What is known of every alert that came in, whether it became part of an
-- incident or not.
CREATE TABLE alert_records (
	id TEXT PRIMARY KEY,
	key_id TEXT NOT NULL,      -- the integration; empty: daytwo's own rules
	dedup_key TEXT NOT NULL,
	source TEXT NOT NULL,
	service TEXT NOT NULL,
	severity TEXT NOT NULL,
	title TEXT NOT NULL,
	status TEXT NOT NULL,      -- triggered, resolved
	suppressed TEXT NOT NULL,  -- why it pages nobody; empty: it does
	ends TEXT NOT NULL,        -- what the end of the suppression brings: page, close
	ends_at BIGINT NOT NULL,   -- when; 0: it is not suppressed
	count BIGINT NOT NULL,
	fields TEXT NOT NULL,      -- JSON
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	resolved_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX alert_records_one_open ON alert_records (key_id, dedup_key) WHERE status = 'triggered' AND key_id <> '';
CREATE INDEX alert_records_ends ON alert_records (ends_at) WHERE ends_at > 0;

-- Events as they came in, each durable before it is answered, and what became
-- of it.
CREATE TABLE inbound_events (
	id TEXT PRIMARY KEY,
	at BIGINT NOT NULL,
	key_id TEXT NOT NULL,
	service TEXT NOT NULL,
	source TEXT NOT NULL,
	action TEXT NOT NULL,      -- trigger, acknowledge, resolve, change
	dedup_key TEXT NOT NULL,
	body TEXT NOT NULL,        -- JSON
	fresh INTEGER NOT NULL,    -- 1: not looked at yet
	outcome TEXT NOT NULL,
	reason TEXT NOT NULL,
	incident_id TEXT NOT NULL
);
CREATE INDEX inbound_events_fresh ON inbound_events (id) WHERE fresh = 1;

CREATE TABLE event_rules (
	id TEXT PRIMARY KEY,
	position BIGINT NOT NULL,
	name TEXT NOT NULL,
	rule TEXT NOT NULL,        -- JSON
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);

CREATE TABLE alert_groupings (
	service TEXT PRIMARY KEY,
	grouping_rule TEXT NOT NULL -- JSON
);

CREATE TABLE heartbeats (
	id TEXT PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	token TEXT NOT NULL UNIQUE,
	service TEXT NOT NULL,
	severity TEXT NOT NULL,
	every_us BIGINT NOT NULL,
	grace_us BIGINT NOT NULL,
	last_at BIGINT NOT NULL,   -- 0: never
	due_at BIGINT NOT NULL,    -- when it counts as missed; 0: it is missed already
	alert_id TEXT NOT NULL,    -- of the alert that it is missed; empty: it is not
	created_at BIGINT NOT NULL
);
CREATE INDEX heartbeats_due ON heartbeats (due_at) WHERE due_at > 0;

-- The append-only log: every change of state, in the order of the commits.
-- Incidents, their alerts, pages and alert records are projections of it.
CREATE TABLE incident_ledger (
	seq BIGINT PRIMARY KEY,
	incident_id TEXT NOT NULL,
	at BIGINT NOT NULL,
	fact TEXT NOT NULL,
	data TEXT NOT NULL         -- JSON
);
CREATE INDEX incident_ledger_of ON incident_ledger (incident_id, seq);

CREATE INDEX incident_log_at ON incident_log (at);

CREATE TABLE round_robins (
	policy TEXT NOT NULL,
	level INTEGER NOT NULL,
	turn BIGINT NOT NULL,
	PRIMARY KEY (policy, level)
);

-- +goose Down
DROP INDEX incident_log_at;
DROP TABLE round_robins;
DROP TABLE incident_ledger;
DROP TABLE heartbeats;
DROP TABLE alert_groupings;
DROP TABLE event_rules;
DROP TABLE inbound_events;
DROP TABLE alert_records;
ALTER TABLE pages DROP COLUMN text;
ALTER TABLE pages DROP COLUMN kind;
DROP INDEX incidents_one_open;
ALTER TABLE incidents DROP COLUMN board;
ALTER TABLE incidents DROP COLUMN updated_at;
ALTER TABLE incidents DROP COLUMN snoozed_until;
ALTER TABLE incidents DROP COLUMN merged_into;
ALTER TABLE incidents DROP COLUMN cycle;
ALTER TABLE incidents DROP COLUMN priority;
ALTER TABLE incidents DROP COLUMN urgency;
ALTER TABLE incidents DROP COLUMN group_key;
CREATE UNIQUE INDEX incidents_one_open ON incidents (service, common) WHERE status <> 'resolved';
