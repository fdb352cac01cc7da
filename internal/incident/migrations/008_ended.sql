-- +goose Up
-- What a service went through in a span of time, as the status page asks every few seconds.
CREATE INDEX incidents_ended ON incidents (service, resolved_at) WHERE status = 'resolved';

-- +goose Down
DROP INDEX incidents_ended;
