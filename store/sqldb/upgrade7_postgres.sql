-- From version 6 to 7, in PostgreSQL only, before what both databases need.

-- Who may be at work and is on no record.
CREATE TABLE unidentified (
    id      BIGINT PRIMARY KEY,
    doubt   TEXT COLLATE "C" NOT NULL CHECK (doubt IN ('unknown_token', 'refused_report')),
    app     TEXT COLLATE "C" NOT NULL DEFAULT '',
    detail  TEXT COLLATE "C" NOT NULL DEFAULT '',
    seen_at BIGINT NOT NULL,
    until   BIGINT NOT NULL
);

-- Which key reported a session.
ALTER TABLE user_sessions ADD COLUMN key_id BIGINT;

-- The browsers in which a token is in use.
ALTER TABLE user_sessions ADD COLUMN client TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE TABLE session_clients (
    session_id BIGINT NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    client     TEXT COLLATE "C" NOT NULL,
    heard_at   BIGINT NOT NULL,
    PRIMARY KEY (session_id, client)
);
