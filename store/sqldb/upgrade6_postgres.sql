-- From version 5 to 6, in PostgreSQL only: activity never has a session end earlier; and commits need no marks.

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
