-- +goose Up
CREATE TABLE webhook_subscriptions (
	id TEXT PRIMARY KEY,
	description TEXT NOT NULL,
	url TEXT NOT NULL,
	secret TEXT NOT NULL,          -- sealed
	events TEXT NOT NULL,          -- JSON
	filter_type TEXT NOT NULL,
	filter_id TEXT NOT NULL,
	headers TEXT NOT NULL,         -- JSON
	active INTEGER NOT NULL,
	refusals INTEGER NOT NULL,     -- in a row
	disabled_until BIGINT NOT NULL,
	disabled_for TEXT NOT NULL,    -- why
	created_at BIGINT NOT NULL
);

CREATE TABLE webhook_deliveries (
	seq BIGINT PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	subscription_id TEXT NOT NULL,
	incident_id TEXT NOT NULL,
	event_type TEXT NOT NULL,
	body TEXT NOT NULL,
	status TEXT NOT NULL,          -- pending, delivered, refused, failed, dropped
	attempts INTEGER NOT NULL,
	created_at BIGINT NOT NULL,
	at BIGINT NOT NULL,            -- when it came into its status, or of the last attempt
	next_at BIGINT NOT NULL,       -- 0: done
	error TEXT NOT NULL
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (subscription_id, incident_id, seq) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_of ON webhook_deliveries (subscription_id, seq);

-- +goose Down
DROP TABLE webhook_deliveries;
DROP TABLE webhook_subscriptions;
