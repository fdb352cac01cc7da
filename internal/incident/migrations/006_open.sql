-- +goose Up
-- Lists and look-ups that have to be quick while thousands of alerts are open.
CREATE INDEX incidents_open ON incidents (number) WHERE status <> 'resolved';
CREATE INDEX incidents_group ON incidents (group_key);
CREATE INDEX incident_alerts_status ON incident_alerts (incident_id, status, at, alert_id);
CREATE INDEX alert_records_dedup ON alert_records (dedup_key);
DROP INDEX incident_log_at;
CREATE INDEX incident_log_order ON incident_log (at, incident_id, seq);

ALTER TABLE event_rules ADD COLUMN updated_by TEXT NOT NULL DEFAULT ''; -- who saved it last

-- +goose Down
ALTER TABLE event_rules DROP COLUMN updated_by;
DROP INDEX incident_log_order;
CREATE INDEX incident_log_at ON incident_log (at);
DROP INDEX alert_records_dedup;
DROP INDEX incident_alerts_status;
DROP INDEX incidents_group;
DROP INDEX incidents_open;
