-- +goose Up
ALTER TABLE incidents ADD COLUMN common TEXT NOT NULL DEFAULT '';    -- what its alerts share where they name no service
ALTER TABLE incidents ADD COLUMN unreached TEXT NOT NULL DEFAULT ''; -- why nobody could be reached; empty: somebody was, or may be
DROP INDEX incidents_one_open;
CREATE UNIQUE INDEX incidents_one_open ON incidents (service, common) WHERE status <> 'resolved';

-- +goose Down
DROP INDEX incidents_one_open;
ALTER TABLE incidents DROP COLUMN unreached;
ALTER TABLE incidents DROP COLUMN common;
