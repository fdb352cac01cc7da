-- +goose Up

ALTER TABLE alerts ADD COLUMN generator TEXT NOT NULL DEFAULT '';
-- When the alert was handed over to become an incident, and why it was not; those that were there before were, when they fired.
ALTER TABLE alerts ADD COLUMN handed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN withheld TEXT NOT NULL DEFAULT '';
UPDATE alerts SET handed_at = starts_at;
-- When an alert from outside ends unless its sender says that it goes on.
ALTER TABLE alerts ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX alerts_by_name ON alerts (name, starts_at, id);

-- What the embedded Alertmanager remembers, in its own encoding: silences, and notifications that were sent.
CREATE TABLE alert_kept (
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	data TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (kind, id)
);

-- +goose Down
DROP TABLE alert_kept;
DROP INDEX alerts_by_name;
ALTER TABLE alerts DROP COLUMN expires_at;
ALTER TABLE alerts DROP COLUMN withheld;
ALTER TABLE alerts DROP COLUMN handed_at;
ALTER TABLE alerts DROP COLUMN generator;
