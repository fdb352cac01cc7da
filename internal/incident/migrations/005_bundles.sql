-- +goose Up
ALTER TABLE pages ADD COLUMN bundle TEXT NOT NULL DEFAULT ''; -- id of the message that carries it with others; empty: it goes alone
CREATE INDEX pages_bundle ON pages (bundle) WHERE bundle <> '';
CREATE INDEX pages_waiting ON pages (address, wake_at) WHERE wake_at > 0;

-- +goose Down
DROP INDEX pages_waiting;
DROP INDEX pages_bundle;
ALTER TABLE pages DROP COLUMN bundle;
