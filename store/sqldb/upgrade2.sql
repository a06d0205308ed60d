-- From version 1 to 2: live presence, status claims.

CREATE INDEX user_sessions_leaving      ON user_sessions (leaving_at) WHERE is_active = true AND leaving_at IS NOT NULL; -- whose goodbye is past its grace

DROP TRIGGER extend_session_expiration;

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
    INSERT INTO changes (user_id) VALUES (NEW.user_id);
END;

-- What somebody claims that a person does. It wins over what the sessions say.
CREATE TABLE status_claims (
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    app        TEXT NOT NULL,                          -- of the key that claims it; '' for the person
    status     TEXT NOT NULL CHECK (status IN ('busy', 'away')),
    text       TEXT NOT NULL DEFAULT '',
    until      INTEGER,                                -- NULL: until it is taken back
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, app)
) STRICT, WITHOUT ROWID;

CREATE INDEX status_claims_until ON status_claims (until) WHERE until IS NOT NULL; -- which ran out

-- What changed, in the order of the commits, for whoever follows along. Triggers write it, so that a change counts
-- whoever makes it. Old rows are removed from time to time, but never the newest: a number is not given twice.
CREATE TABLE changes (
    seq        INTEGER PRIMARY KEY,                    -- without holes
    user_id    TEXT,                                   -- this user may look different in the list now
    session_id INTEGER,                                -- and this session of the user has just ended,
    app        TEXT,                                   --     which was one of this app,
    reason     TEXT,                                   --     for this reason: its end_reason, or user_deleted with its row
    key_id     INTEGER                                 -- this key has just been deleted
) STRICT;

CREATE TRIGGER session_begun AFTER INSERT ON user_sessions WHEN NEW.is_active = true
BEGIN
    INSERT INTO changes (user_id) VALUES (NEW.user_id);
END;

-- Most heartbeats change nothing that anybody sees. These set neither page nor leaving_at, not even to the same value,
-- and so cost no row here.
CREATE TRIGGER session_changed AFTER UPDATE OF page, leaving_at, ip_address, user_agent ON user_sessions WHEN NEW.is_active = true
BEGIN
    INSERT INTO changes (user_id) VALUES (NEW.user_id);
END;

CREATE TRIGGER session_ended AFTER UPDATE OF is_active ON user_sessions WHEN OLD.is_active = true AND NEW.is_active = false
BEGIN
    INSERT INTO changes (user_id, session_id, app, reason) VALUES (NEW.user_id, NEW.id, NEW.app, NEW.end_reason);
END;

CREATE TRIGGER session_deleted AFTER DELETE ON user_sessions WHEN OLD.is_active = true
BEGIN
    INSERT INTO changes (user_id, session_id, app, reason) VALUES (OLD.user_id, OLD.id, OLD.app, 'user_deleted');
END;

-- Of somebody who is logged in: others are in no list.
CREATE TRIGGER user_changed AFTER UPDATE OF name, email, role, team_name, organization_id, access ON users
WHEN (NEW.name, NEW.email, NEW.role, NEW.team_name, NEW.organization_id, NEW.access)
     IS NOT (OLD.name, OLD.email, OLD.role, OLD.team_name, OLD.organization_id, OLD.access)
 AND EXISTS (SELECT 1 FROM user_sessions WHERE user_id = NEW.id AND is_active = true)
BEGIN
    INSERT INTO changes (user_id) VALUES (NEW.id);
END;

CREATE TRIGGER organization_renamed AFTER UPDATE OF name ON organizations WHEN NEW.name <> OLD.name
BEGIN
    INSERT INTO changes (user_id)
    SELECT id FROM users
     WHERE organization_id = NEW.id AND EXISTS (SELECT 1 FROM user_sessions WHERE user_id = users.id AND is_active = true);
END;

CREATE TRIGGER claim_made AFTER INSERT ON status_claims
BEGIN
    INSERT INTO changes (user_id) VALUES (NEW.user_id);
END;

CREATE TRIGGER claim_changed AFTER UPDATE ON status_claims
BEGIN
    INSERT INTO changes (user_id) VALUES (NEW.user_id);
END;

CREATE TRIGGER claim_removed AFTER DELETE ON status_claims
BEGIN
    INSERT INTO changes (user_id) VALUES (OLD.user_id);
END;

CREATE TRIGGER key_deleted AFTER DELETE ON api_keys
BEGIN
    INSERT INTO changes (key_id) VALUES (OLD.id);
END;
