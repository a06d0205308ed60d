-- Rollcall's database: the whole current schema, version 1.
--
-- Every time is a BIGINT-like INTEGER of milliseconds since 1970 (UTC), computed by the program, never by SQL.
-- Secrets are stored as their SHA-256 only: whoever reads this file can not sign in with what it holds.

-- Numbers that SQL itself needs to know, kept by the program at every start.
--   schema_version      this file's version
--   session_ttl_ms      how long a session lives after its last activity (--session-ttl); likewise for the other rules:
--   idle_after_ms, online_window_ms, leave_grace_ms, retention_ms
--   session_id_key      a random number that makes session ids; without it an id can not be held against guessed tokens
--   last_cleanup_*      when the last cleanup ran, what it ended and what it purged
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organizations (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE CHECK (name <> ''),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id              TEXT PRIMARY KEY CHECK (id <> ''), -- as the application gives it; "rollcall:NAME" for an account
    organization_id INTEGER REFERENCES organizations (id) ON DELETE CASCADE,
    name            TEXT NOT NULL DEFAULT '',
    email           TEXT NOT NULL DEFAULT '',
    role            TEXT NOT NULL DEFAULT '',          -- in the application; free text
    team_name       TEXT NOT NULL DEFAULT '',
    access          TEXT NOT NULL DEFAULT 'none' CHECK (access IN ('none', 'viewer', 'admin')), -- in Rollcall itself
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX users_organization ON users (organization_id);

-- One login of one user in one application. A row stays after the end, until retention removes it.
CREATE TABLE user_sessions (
    id               INTEGER PRIMARY KEY,              -- public; made from the token and session_id_key, so the token alone finds the row
    user_id          TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization_id  INTEGER REFERENCES organizations (id) ON DELETE CASCADE,
    app              TEXT NOT NULL,                    -- from the key that reported the login; 'rollcall' for the panel
    token_sha256     BLOB NOT NULL CHECK (length(token_sha256) = 32),
    max_access       TEXT NOT NULL DEFAULT 'none' CHECK (max_access IN ('none', 'viewer', 'admin')), -- what the key could grant; the user's own access still applies
    ip_address       TEXT NOT NULL DEFAULT '',
    user_agent       TEXT NOT NULL DEFAULT '',
    page             TEXT NOT NULL DEFAULT '',         -- path of the page the person is on
    idle_ms          INTEGER NOT NULL DEFAULT 0 CHECK (idle_ms >= 0), -- age of the last input at last_activity_at
    last_activity_at INTEGER NOT NULL,                 -- last heartbeat, or the login
    leaving_at       INTEGER,                          -- the last tab said goodbye; a later heartbeat clears it
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    is_active        INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    ended_at         INTEGER,
    end_reason       TEXT CHECK (end_reason IN ('logout', 'expired', 'revoked', 'evicted', 'user_deleted', 'password_changed')),
    CHECK (is_active = (ended_at IS NULL)),
    CHECK (is_active = (end_reason IS NULL))
) STRICT;

CREATE INDEX user_sessions_active       ON user_sessions (last_activity_at) WHERE is_active = true; -- who is online, latest first
CREATE INDEX user_sessions_expiry       ON user_sessions (expires_at) WHERE is_active = true;           -- cleanup: what to end
CREATE INDEX user_sessions_ended        ON user_sessions (ended_at) WHERE is_active = false;            -- cleanup: what to purge
CREATE INDEX user_sessions_user         ON user_sessions (user_id);
CREATE INDEX user_sessions_organization ON user_sessions (organization_id);

-- Activity extends a session, whoever notes it: UPDATE user_sessions SET last_activity_at = ... typed into the
-- sqlite3 shell does the same as a heartbeat. (The heartbeat sets expires_at in the same statement, by the same
-- rule, so that one row is written once; the trigger then has nothing to add.)
-- An unattended tab beats too, but must not keep its person logged in for ever.
CREATE TRIGGER extend_session_expiration
AFTER UPDATE OF last_activity_at ON user_sessions
WHEN NEW.last_activity_at <> OLD.last_activity_at
 AND NEW.expires_at = OLD.expires_at
 AND NEW.is_active = true
 AND NEW.idle_ms < (SELECT value FROM settings WHERE name = 'idle_after_ms')
BEGIN
    UPDATE user_sessions
       SET expires_at = NEW.last_activity_at + (SELECT value FROM settings WHERE name = 'session_ttl_ms')
     WHERE id = NEW.id;
END;

-- People who sign in to the panel with a password. Their name, access and sessions are a user's like any other.
CREATE TABLE accounts (
    user_id       TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT NOT NULL UNIQUE,                -- what they type to sign in, in lower case
    password_hash TEXT NOT NULL,                       -- argon2id, in PHC string format
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Credentials of the applications' back ends.
CREATE TABLE api_keys (
    id         INTEGER PRIMARY KEY,                    -- random, public
    app        TEXT NOT NULL CHECK (app <> ''),
    scopes     TEXT NOT NULL,                          -- comma-separated: sessions, read, admin
    key_sha256 BLOB NOT NULL UNIQUE CHECK (length(key_sha256) = 32),
    created_at INTEGER NOT NULL
) STRICT;

-- The most people that were online at once on a day (UTC), sampled every minute.
CREATE TABLE daily_peaks (
    day    INTEGER PRIMARY KEY,                        -- its midnight
    people INTEGER NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
