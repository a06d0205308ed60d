-- From version 5 to 6, in PostgreSQL only, before what both databases need: whether a heartbeat has come; activity never has
-- a session end earlier; commits need no marks.

ALTER TABLE user_sessions ADD COLUMN heard BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE user_sessions ADD COLUMN session_key_sha256 BYTEA CHECK (length(session_key_sha256) = 32);
ALTER TABLE user_sessions ADD COLUMN refused_at BIGINT;
CREATE TABLE session_tokens (
    id           BIGINT PRIMARY KEY,
    token_sha256 BYTEA NOT NULL CHECK (length(token_sha256) = 32),
    session_id   BIGINT NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    until        BIGINT
);
CREATE FUNCTION note_heard() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    NEW.heard := true;
    RETURN NEW;
END $$;
CREATE TRIGGER session_heard
BEFORE UPDATE OF last_activity_at ON user_sessions FOR EACH ROW
WHEN (NEW.last_activity_at <> OLD.last_activity_at AND NOT NEW.heard)
EXECUTE FUNCTION note_heard();

CREATE OR REPLACE FUNCTION extend_session_expiration() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    later BIGINT := NEW.last_activity_at + (SELECT value FROM settings WHERE name = 'session_ttl_ms');
BEGIN
    IF later > NEW.expires_at AND NEW.idle_ms < (SELECT value FROM settings WHERE name = 'idle_after_ms') THEN
        NEW.expires_at := later;
        INSERT INTO changes (user_id) VALUES (NEW.user_id);
    END IF;
    RETURN NEW;
END $$;

DROP TABLE replica_marks;

-- What people typed has a column of its own in the audit log.
DROP TRIGGER audit_only_grows ON audit;
ALTER TABLE audit ADD COLUMN words TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE audit SET words = detail, detail = '' WHERE action IN ('session.revoke', 'notice.post', 'drain.begin', 'drain.change');
CREATE TRIGGER audit_only_grows BEFORE UPDATE ON audit FOR EACH ROW
WHEN (NOT (NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.action = OLD.action
           AND NEW.actor IN (OLD.actor, 'erased') AND NEW.target IN (OLD.target, 'erased') AND NEW.detail IN (OLD.detail, '')
           AND NEW.words IN (OLD.words, '')))
EXECUTE FUNCTION refuse_audit_change();
