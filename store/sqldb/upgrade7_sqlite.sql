-- From version 6 to 7, in SQLite only, before what both databases need.

-- Whose people: the audit log names them by the directory and the id.
DROP TRIGGER audit_only_grows;
UPDATE audit SET actor = 'user:' || (SELECT new FROM moved WHERE old = substr(actor, 6))
    WHERE substr(actor, 1, 5) = 'user:' AND substr(actor, 6) IN (SELECT old FROM moved);
UPDATE audit SET target = 'user:' || (SELECT new FROM moved WHERE old = substr(target, 6))
    WHERE substr(target, 1, 5) = 'user:' AND substr(target, 6) IN (SELECT old FROM moved);

-- Who may be at work and is on no record.
CREATE TABLE unidentified (
    id      INTEGER NOT NULL,
    client  TEXT NOT NULL DEFAULT '',
    doubt   TEXT NOT NULL CHECK (doubt IN ('unknown_token', 'refused_report', 'refused_heartbeat', 'deleted_user')),
    app     TEXT NOT NULL DEFAULT '',
    detail  TEXT NOT NULL DEFAULT '',
    seen_at INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    PRIMARY KEY (id, client)
) STRICT, WITHOUT ROWID;

-- Heartbeats of which nobody can see a difference, as a log.
CREATE TABLE heartbeat_log (
    number INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    beats  BLOB NOT NULL
) STRICT;

-- Which key reported a session.
ALTER TABLE user_sessions ADD COLUMN key_id INTEGER;

-- The browsers in which a token is in use.
ALTER TABLE user_sessions ADD COLUMN client TEXT;
CREATE TABLE session_clients (
    session_id INTEGER NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    client     TEXT NOT NULL,
    heard_at   INTEGER NOT NULL,
    PRIMARY KEY (session_id, client)
) STRICT, WITHOUT ROWID;

-- What many sessions have in common: their browsers.
CREATE TABLE user_agents (
    id             INTEGER PRIMARY KEY,
    user_agent     TEXT NOT NULL DEFAULT '',
    device_type    TEXT NOT NULL DEFAULT '',
    device_os      TEXT NOT NULL DEFAULT '',
    device_browser TEXT NOT NULL DEFAULT '',
    UNIQUE (user_agent, device_type, device_os, device_browser)
) STRICT;
INSERT INTO user_agents (user_agent, device_type, device_os, device_browser)
    SELECT DISTINCT user_agent, device_type, device_os, device_browser FROM user_sessions
    WHERE (user_agent, device_type, device_os, device_browser) <> ('', '', '', '');
ALTER TABLE user_sessions ADD COLUMN user_agent_id INTEGER REFERENCES user_agents (id);
UPDATE user_sessions SET user_agent_id = (
    SELECT a.id FROM user_agents a
    WHERE (a.user_agent, a.device_type, a.device_os, a.device_browser)
        = (user_sessions.user_agent, user_sessions.device_type, user_sessions.device_os, user_sessions.device_browser));
DROP TRIGGER session_changed;
ALTER TABLE user_sessions DROP COLUMN user_agent;
ALTER TABLE user_sessions DROP COLUMN device_type;
ALTER TABLE user_sessions DROP COLUMN device_os;
ALTER TABLE user_sessions DROP COLUMN device_browser;
CREATE INDEX user_sessions_user_agent ON user_sessions (user_agent_id);
CREATE TRIGGER session_changed AFTER UPDATE OF page, leaving_at, ip_address, user_agent_id, location ON user_sessions WHEN NEW.is_active = true
BEGIN
    INSERT INTO changes (user_id) VALUES (NEW.user_id);
END;
CREATE TRIGGER user_agent_changed AFTER UPDATE ON user_agents
BEGIN
    INSERT INTO changes (user_id) SELECT DISTINCT user_id FROM user_sessions WHERE user_agent_id = NEW.id AND is_active = true;
END;

-- Links to choose a password, and authenticator apps.
ALTER TABLE accounts ADD COLUMN link_sha256 BLOB CHECK (length(link_sha256) = 32);
ALTER TABLE accounts ADD COLUMN link_expires_at INTEGER;
ALTER TABLE accounts ADD COLUMN link_by TEXT;
CREATE UNIQUE INDEX accounts_link ON accounts (link_sha256) WHERE link_sha256 IS NOT NULL;
CREATE TABLE totp (
    user_id      TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret       BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    confirmed_at INTEGER,
    last_period  INTEGER NOT NULL DEFAULT 0,
    failures     INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    blocked_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE recovery_codes (
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    code_sha256 BLOB NOT NULL CHECK (length(code_sha256) = 32),
    PRIMARY KEY (user_id, number)
) STRICT, WITHOUT ROWID;

-- The audit log is a chain of hashes. That of the entries before, chainAudit makes.
ALTER TABLE audit ADD COLUMN erased TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN salt BLOB;
ALTER TABLE audit ADD COLUMN content_sha256 BLOB CHECK (length(content_sha256) = 32);
ALTER TABLE audit ADD COLUMN chain_sha256 BLOB CHECK (length(chain_sha256) = 32);
CREATE TRIGGER audit_only_grows BEFORE UPDATE ON audit
WHEN NOT (NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.action = OLD.action
          AND (NEW.actor = OLD.actor OR NEW.actor LIKE 'erased:%') AND (NEW.target = OLD.target OR NEW.target LIKE 'erased:%')
          AND NEW.detail IN (OLD.detail, '') AND NEW.words IN (OLD.words, '')
          AND (OLD.chain_sha256 IS NULL
               OR NEW.salt IS NULL AND NEW.content_sha256 IS OLD.content_sha256 AND NEW.chain_sha256 IS OLD.chain_sha256))
BEGIN
    SELECT RAISE(ABORT, 'the audit log is not to be changed');
END;
