-- From version 3 to 4: devices, places, history, notices, drains and the audit log.

ALTER TABLE user_sessions ADD COLUMN device_type TEXT NOT NULL DEFAULT '';
ALTER TABLE user_sessions ADD COLUMN device_os TEXT NOT NULL DEFAULT '';
ALTER TABLE user_sessions ADD COLUMN device_browser TEXT NOT NULL DEFAULT '';
ALTER TABLE user_sessions ADD COLUMN location TEXT NOT NULL DEFAULT '';
ALTER TABLE daily_peaks ADD COLUMN visitors INTEGER;
ALTER TABLE changes ADD COLUMN topic TEXT;

DROP TRIGGER session_changed;

CREATE TRIGGER session_changed AFTER UPDATE OF page, leaving_at, ip_address, user_agent, device_type, device_os, device_browser, location ON user_sessions WHEN NEW.is_active = true
BEGIN
    INSERT INTO changes (user_id) VALUES (NEW.user_id);
END;

CREATE TABLE daily_visitors (
    day     INTEGER NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (day, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX daily_visitors_user ON daily_visitors (user_id);

CREATE TABLE activity_samples (
    organization_id INTEGER NOT NULL,
    app             TEXT NOT NULL,
    at              INTEGER NOT NULL,
    people          INTEGER NOT NULL,
    PRIMARY KEY (organization_id, app, at)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER organization_deleted AFTER DELETE ON organizations
BEGIN
    DELETE FROM activity_samples WHERE organization_id = OLD.id;
END;

CREATE TABLE notices (
    id              INTEGER PRIMARY KEY,
    message         TEXT NOT NULL CHECK (message <> ''),
    level           TEXT NOT NULL CHECK (level IN ('info', 'warning', 'critical')),
    app             TEXT NOT NULL DEFAULT '',
    organization_id INTEGER REFERENCES organizations (id) ON DELETE CASCADE,
    created_at      INTEGER NOT NULL,
    created_by      TEXT NOT NULL,
    until           INTEGER,
    withdrawn_at    INTEGER
) STRICT;

CREATE INDEX notices_organization ON notices (organization_id);

CREATE TABLE notice_receipts (
    notice_id INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    seen_at   INTEGER NOT NULL,
    PRIMARY KEY (notice_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX notice_receipts_user ON notice_receipts (user_id);

CREATE TABLE drain (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    message         TEXT NOT NULL,
    started_at      INTEGER NOT NULL,
    started_by      TEXT NOT NULL,
    end_sessions_at INTEGER,
    done_at         INTEGER
) STRICT;

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX audit_at     ON audit (at);
CREATE INDEX audit_actor  ON audit (actor);
CREATE INDEX audit_target ON audit (target, actor, action);

CREATE TRIGGER audit_only_grows BEFORE UPDATE ON audit
WHEN NOT (NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.action = OLD.action
          AND NEW.actor IN (OLD.actor, 'erased') AND NEW.target IN (OLD.target, 'erased') AND NEW.detail IN (OLD.detail, ''))
BEGIN
    SELECT RAISE(ABORT, 'the audit log is not to be changed');
END;

CREATE TRIGGER audit_only_shrinks_by_age BEFORE DELETE ON audit
WHEN OLD.at >= COALESCE((SELECT value FROM settings WHERE name = 'audit_kept_from'), 0)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is not to be changed');
END;

CREATE TRIGGER notice_made AFTER INSERT ON notices
BEGIN
    INSERT INTO changes (topic) VALUES ('notices');
END;

CREATE TRIGGER notice_changed AFTER UPDATE ON notices
BEGIN
    INSERT INTO changes (topic) VALUES ('notices');
END;

CREATE TRIGGER notice_removed AFTER DELETE ON notices
BEGIN
    INSERT INTO changes (topic) VALUES ('notices');
END;

CREATE TRIGGER drain_begun AFTER INSERT ON drain
BEGIN
    INSERT INTO changes (topic) VALUES ('drain');
END;

CREATE TRIGGER drain_changed AFTER UPDATE ON drain
BEGIN
    INSERT INTO changes (topic) VALUES ('drain');
END;

CREATE TRIGGER drain_ended AFTER DELETE ON drain
BEGIN
    INSERT INTO changes (topic) VALUES ('drain');
END;
