-- From version 5 to 6, in SQLite only, before what both databases need: whether a heartbeat has come; activity never has
-- a session end earlier.

ALTER TABLE user_sessions ADD COLUMN heard INTEGER NOT NULL DEFAULT 0 CHECK (heard IN (0, 1));
ALTER TABLE user_sessions ADD COLUMN session_key_sha256 BLOB CHECK (length(session_key_sha256) = 32);
ALTER TABLE user_sessions ADD COLUMN refused_at INTEGER;
CREATE TABLE session_tokens (
    id           INTEGER PRIMARY KEY,
    token_sha256 BLOB NOT NULL CHECK (length(token_sha256) = 32),
    session_id   INTEGER NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    until        INTEGER
) STRICT;
CREATE TRIGGER session_heard
AFTER UPDATE OF last_activity_at ON user_sessions WHEN NEW.last_activity_at <> OLD.last_activity_at AND NEW.heard = 0
BEGIN
    UPDATE user_sessions SET heard = 1 WHERE id = NEW.id;
END;

DROP TRIGGER extend_session_expiration;
CREATE TRIGGER extend_session_expiration
AFTER UPDATE OF last_activity_at ON user_sessions
WHEN NEW.last_activity_at <> OLD.last_activity_at
 AND NEW.expires_at = OLD.expires_at
 AND NEW.is_active = true
 AND NEW.last_activity_at + (SELECT value FROM settings WHERE name = 'session_ttl_ms') > NEW.expires_at
 AND NEW.idle_ms < (SELECT value FROM settings WHERE name = 'idle_after_ms')
BEGIN
    UPDATE user_sessions
       SET expires_at = NEW.last_activity_at + (SELECT value FROM settings WHERE name = 'session_ttl_ms')
     WHERE id = NEW.id;
    INSERT INTO changes (user_id) VALUES (NEW.user_id);
END;

-- What people typed has a column of its own in the audit log.
DROP TRIGGER audit_only_grows;
ALTER TABLE audit ADD COLUMN words TEXT NOT NULL DEFAULT '';
UPDATE audit SET words = detail, detail = '' WHERE action IN ('session.revoke', 'notice.post', 'drain.begin', 'drain.change');

CREATE TRIGGER audit_only_grows BEFORE UPDATE ON audit
WHEN NOT (NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.action = OLD.action
          AND NEW.actor IN (OLD.actor, 'erased') AND NEW.target IN (OLD.target, 'erased') AND NEW.detail IN (OLD.detail, '')
          AND NEW.words IN (OLD.words, ''))
BEGIN
    SELECT RAISE(ABORT, 'the audit log is not to be changed');
END;
