-- From version 6 to 7, in SQLite only, before what both databases need.

-- Who may be at work and is on no record.
CREATE TABLE unidentified (
    id      INTEGER PRIMARY KEY,
    doubt   TEXT NOT NULL CHECK (doubt IN ('unknown_token', 'refused_report')),
    app     TEXT NOT NULL DEFAULT '',
    detail  TEXT NOT NULL DEFAULT '',
    seen_at INTEGER NOT NULL,
    until   INTEGER NOT NULL
) STRICT;

-- Heartbeats of which nobody can see a difference, as a log.
CREATE TABLE heartbeat_log (
    number INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    beats  BLOB NOT NULL
) STRICT;

-- Which key reported a session.
ALTER TABLE user_sessions ADD COLUMN key_id INTEGER;

-- The browsers in which a token is in use.
ALTER TABLE user_sessions ADD COLUMN client TEXT NOT NULL DEFAULT '';
CREATE TABLE session_clients (
    session_id INTEGER NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    client     TEXT NOT NULL,
    heard_at   INTEGER NOT NULL,
    PRIMARY KEY (session_id, client)
) STRICT, WITHOUT ROWID;
