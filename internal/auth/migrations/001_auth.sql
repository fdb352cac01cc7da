-- +goose Up
CREATE TABLE auth_users (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL UNIQUE,
	email      TEXT NOT NULL,
	role       TEXT NOT NULL,
	password   TEXT NOT NULL,    -- argon2id in PHC form; empty: none
	disabled   INTEGER NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL   -- last sign-in or use of a session; 0: never
);

CREATE TABLE auth_sessions (
	hash       TEXT PRIMARY KEY, -- sha256 of the cookie's value
	user_id    TEXT NOT NULL,
	via_link   INTEGER NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX auth_sessions_user ON auth_sessions (user_id);
CREATE INDEX auth_sessions_expiry ON auth_sessions (expires_at);

CREATE TABLE auth_links (
	hash       TEXT PRIMARY KEY, -- sha256 of the one-time token
	user_id    TEXT NOT NULL,
	expires_at BIGINT NOT NULL
);

CREATE TABLE auth_tokens (
	id         TEXT PRIMARY KEY,
	hash       TEXT NOT NULL UNIQUE, -- sha256 of the secret
	name       TEXT NOT NULL,
	owner_id   TEXT NOT NULL,        -- user; empty: nobody's, made by the token from the environment
	role       TEXT NOT NULL,
	scopes     TEXT NOT NULL,        -- separated by spaces
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,      -- 0: never
	used_at    BIGINT NOT NULL
);
CREATE INDEX auth_tokens_owner ON auth_tokens (owner_id);

CREATE TABLE auth_audit (
	id      TEXT PRIMARY KEY,        -- sorts by time
	at      BIGINT NOT NULL,
	actor   TEXT NOT NULL,
	action  TEXT NOT NULL,
	target  TEXT NOT NULL,
	detail  TEXT NOT NULL,
	address TEXT NOT NULL,
	request TEXT NOT NULL
);

CREATE TABLE auth_key (
	id     INTEGER PRIMARY KEY,      -- always 1
	sealed TEXT NOT NULL             -- proves that the key at hand is the one secrets were sealed with
);
