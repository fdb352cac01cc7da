-- +goose Up
CREATE INDEX inbound_events_failed ON inbound_events (at) WHERE outcome = 'failed';

-- +goose Down
DROP INDEX inbound_events_failed;
