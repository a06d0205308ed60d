-- Rollcall's database: the whole current schema, version 7.
--
-- Every time is a BIGINT-like INTEGER of milliseconds since 1970 (UTC), computed by the program, never by SQL.
-- Secrets are stored as their SHA-256 only: whoever reads this file can not sign in with what it holds. One exception: the
-- secret of an authenticator app, from which its codes are computed. Who has it still needs the password.

-- Numbers that SQL itself needs to know, kept by the program at every start.
--   schema_version      this file's version
--   session_ttl_ms      how long a session lives after its last activity (--session-ttl); likewise for the other rules:
--   heartbeat_ms, idle_after_ms, online_window_ms, leave_grace_ms, retention_ms, history_retention_ms, audit_retention_ms
--   organization_samples_from   samples of organizations from before are gone
--   erasures            how many people were erased since the files were last rewritten; none while they are clean
--   audit_kept_from     what happened before may be removed from the audit log
--   audit_last          the id of its newest entry
--   session_id_key      a random number that makes session ids; without it an id can not be held against guessed tokens
--   device_key_1, device_key_2   random numbers that make the cookie of a browser from which an account signed in before
--   last_cleanup_*      when the last cleanup ran, what it ended and what it purged
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organizations (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE CHECK (name <> ''),
    created_at INTEGER NOT NULL,
    folded     TEXT NOT NULL DEFAULT ''                -- name as it is searched: see users.folded
) STRICT;

-- The directory that an app's people are in: its own, unless keys were made with one in common. By the same id people of
-- one directory are the same, and those of two are not.
CREATE TABLE apps (
    name      TEXT PRIMARY KEY CHECK (name <> ''),
    directory TEXT NOT NULL CHECK (directory <> '')    -- without a slash
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id              TEXT PRIMARY KEY CHECK (id <> ''), -- the directory, a slash and the id as the application gives it; "rollcall:NAME" for an account
    organization_id INTEGER REFERENCES organizations (id) ON DELETE CASCADE,
    name            TEXT NOT NULL DEFAULT '',
    email           TEXT NOT NULL DEFAULT '',
    role            TEXT NOT NULL DEFAULT '',          -- in the application; free text
    team_name       TEXT NOT NULL DEFAULT '',
    access          TEXT NOT NULL DEFAULT 'none' CHECK (access IN ('none', 'viewer', 'admin')), -- in Rollcall itself
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    folded          TEXT NOT NULL DEFAULT '',          -- name, e-mail address, the application's id, role and team as they are searched and sorted: see Fold in store/sqldb
    role_folded     TEXT NOT NULL DEFAULT ''           -- role as it is compared
) STRICT, WITHOUT ROWID;

CREATE INDEX users_organization ON users (organization_id);

-- The browsers in which people log in, each once: thousands of sessions have the same. A row never changes; what has no
-- session left is removed by the cleanup.
CREATE TABLE user_agents (
    id             INTEGER PRIMARY KEY,
    user_agent     TEXT NOT NULL DEFAULT '',           -- as it was told at the login
    device_type    TEXT NOT NULL DEFAULT '',           -- desktop, mobile, tablet or bot; what user_agent says, read at the login; '' where it does not
    device_os      TEXT NOT NULL DEFAULT '',
    device_browser TEXT NOT NULL DEFAULT '',
    UNIQUE (user_agent, device_type, device_os, device_browser) -- another version of the program may read another device
) STRICT;

-- One login of one user in one application. A row stays after the end, until retention removes it. Heartbeats write it again
-- and again, so it is narrow: what many sessions have in common stands elsewhere, and what is empty takes a byte.
CREATE TABLE user_sessions (
    id               INTEGER PRIMARY KEY,              -- public; made from the token and session_id_key, so the token alone finds the row
    user_id          TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization_id  INTEGER REFERENCES organizations (id) ON DELETE CASCADE,
    app              TEXT NOT NULL,                    -- from the key that reported the login; 'rollcall' for the panel
    token_sha256     BLOB NOT NULL CHECK (length(token_sha256) = 32),
    max_access       TEXT NOT NULL DEFAULT 'none' CHECK (max_access IN ('none', 'viewer', 'admin')), -- what the key could grant, while there is the key; the user's own access still applies
    ip_address       TEXT NOT NULL DEFAULT '',
    page             TEXT NOT NULL DEFAULT '',         -- path of the page the person is on
    idle_ms          INTEGER NOT NULL DEFAULT 0 CHECK (idle_ms >= 0), -- age of the last input at last_activity_at
    last_activity_at INTEGER NOT NULL,                 -- last heartbeat, or the login
    leaving_at       INTEGER,                          -- the last tab said goodbye; a later heartbeat clears it
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    is_active        INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    ended_at         INTEGER,
    end_reason       TEXT CHECK (end_reason IN ('logout', 'expired', 'revoked', 'evicted', 'user_deleted', 'password_changed')),
    ended_by         TEXT NOT NULL DEFAULT '',         -- who ended it, where somebody did: user:ID, the id being that in users, or key:ID:APP
    end_note         TEXT NOT NULL DEFAULT '',         -- and what they had to say
    location         TEXT NOT NULL DEFAULT '',         -- where ip_address was at the login: a network's name, or a city or country
    heard            INTEGER NOT NULL DEFAULT 0 CHECK (heard IN (0, 1)), -- a heartbeat has come; up to then there is only a login
    session_key_sha256 BLOB CHECK (length(session_key_sha256) = 32), -- the application's own name for the session; NULL: it gave none
    refused_at       INTEGER,                          -- when somebody seems to have been last in a page of this session, which has ended
    key_id           INTEGER,                          -- of the key that reported the login, deleted or not; NULL: of the panel, or a signed token began it
    client           TEXT,                             -- the browser that was heard last, by a random name that it keeps, '' where it does not say; NULL: none, or it has left
    user_agent_id    INTEGER REFERENCES user_agents (id), -- in what it is used, as it was told at the login; NULL: nothing was
    CHECK (is_active = (ended_at IS NULL)),
    CHECK (is_active = (end_reason IS NULL))
) STRICT;

CREATE INDEX user_sessions_active       ON user_sessions ((last_activity_at >> 12)) WHERE is_active = true;  -- who is online, latest first, by blocks of four seconds: see store/presence
CREATE INDEX user_sessions_expiry       ON user_sessions ((expires_at >> 19), id, expires_at) WHERE is_active = true; -- cleanup: what to end, by blocks of nine minutes
CREATE INDEX user_sessions_unheard      ON user_sessions (last_activity_at) WHERE is_active = true AND heard = false; -- who has only a login
CREATE INDEX user_sessions_ended        ON user_sessions (ended_at) WHERE is_active = false;            -- cleanup: what to purge
CREATE INDEX user_sessions_created      ON user_sessions (created_at);                                  -- all, latest first
CREATE INDEX user_sessions_user         ON user_sessions (user_id, is_active);                          -- of a person; those that are active without a look at the others
CREATE INDEX user_sessions_organization ON user_sessions (organization_id);
CREATE INDEX user_sessions_app          ON user_sessions (app);                                         -- the list of sessions of an app,
CREATE INDEX user_sessions_address      ON user_sessions (ip_address);                                  -- and from an address
CREATE INDEX user_sessions_leaving      ON user_sessions (leaving_at) WHERE is_active = true AND leaving_at IS NOT NULL; -- whose goodbye is past its grace
CREATE INDEX user_sessions_named        ON user_sessions (session_key_sha256) WHERE session_key_sha256 IS NOT NULL;
CREATE INDEX user_sessions_user_agent   ON user_sessions (user_agent_id);                               -- whether any is left
CREATE INDEX user_sessions_refused      ON user_sessions (refused_at) WHERE refused_at IS NOT NULL;     -- who was asked to leave and is still there

-- Tokens that find their session here, because they did not begin it: one that took the place of another, and one that is
-- reported again after its session expired. Of a session that has had one token only there is no row.
CREATE TABLE session_tokens (
    id           INTEGER PRIMARY KEY,                  -- made from the token, like user_sessions.id
    token_sha256 BLOB NOT NULL CHECK (length(token_sha256) = 32),
    session_id   INTEGER NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    until        INTEGER                               -- another took its place, and it is heard up to then; NULL: it is in use
) STRICT;

CREATE INDEX session_tokens_session ON session_tokens (session_id);

-- Who may be at work and is on no record, at most 200: a page in use whose token nobody reported or whose heartbeats are
-- refused, or somebody whose login was reported and refused, or whose user was deleted while they were there.
CREATE TABLE unidentified (
    id      INTEGER NOT NULL,                          -- made from the token, or from whom the report was about
    client  TEXT NOT NULL DEFAULT '',                  -- like user_sessions.client
    doubt   TEXT NOT NULL CHECK (doubt IN ('unknown_token', 'refused_report', 'refused_heartbeat', 'deleted_user')),
    app     TEXT NOT NULL DEFAULT '',                  -- of the key that reported; '' where nobody knows
    detail  TEXT NOT NULL DEFAULT '',                  -- origin of the page; code of the refusal; of a heartbeat both
    seen_at INTEGER NOT NULL,                          -- latest
    until   INTEGER NOT NULL,                          -- counts up to then
    PRIMARY KEY (id, client)
) STRICT, WITHOUT ROWID;

-- Other browsers, or origins, in which a session's token is in use: the goodbye of one takes nobody else out. Of a session
-- of one browser there is no row.
CREATE TABLE session_clients (
    session_id INTEGER NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    client     TEXT NOT NULL,                          -- like user_sessions.client
    heard_at   INTEGER NOT NULL,                       -- its last heartbeat, as far as it matters
    PRIMARY KEY (session_id, client)
) STRICT, WITHOUT ROWID;

-- Activity extends a session, whoever notes it: UPDATE user_sessions SET last_activity_at = ... typed into the
-- sqlite3 shell does the same as a heartbeat. (The heartbeat sets expires_at in the same statement, by the same
-- rule, so that one row is written once; the trigger then has nothing to add.)
-- An unattended tab beats too, but must not keep its person logged in for ever. A clock that is behind for a while must
-- not log anybody out when it is right again: a session never ends earlier for activity.
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

CREATE TRIGGER session_heard
AFTER UPDATE OF last_activity_at ON user_sessions WHEN NEW.last_activity_at <> OLD.last_activity_at AND NEW.heard = 0
BEGIN
    UPDATE user_sessions SET heard = 1 WHERE id = NEW.id;
END;

-- Heartbeats of which nobody can see a difference, of the last minutes: what user_sessions does not say yet. A row is a
-- transaction's: for each of its sessions the id, the last activity that the session's row had and the one that it will
-- have, the age of the input, and the end of the session by the row and by the heartbeat; see store/beats. They are brought
-- into the sessions' rows before these alone would say that somebody has gone. Only in SQLite.
CREATE TABLE heartbeat_log (
    number INTEGER PRIMARY KEY,                        -- in the order of the transactions
    at     INTEGER NOT NULL,                           -- of its first heartbeat
    beats  BLOB NOT NULL
) STRICT;

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

-- People who sign in to the panel with a password. Their name, access and sessions are a user's like any other.
CREATE TABLE accounts (
    user_id       TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT NOT NULL UNIQUE,                -- what they type to sign in, in lower case
    password_hash TEXT NOT NULL,                       -- argon2id, in PHC string format; '': nobody has chosen a password yet
    created_at    INTEGER NOT NULL,
    link_sha256   BLOB CHECK (length(link_sha256) = 32), -- of the link with which somebody may choose the password, once; NULL: there is none
    link_expires_at INTEGER,
    link_by       TEXT                                 -- who made it, as the audit log names them; it ends with them
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX accounts_link ON accounts (link_sha256) WHERE link_sha256 IS NOT NULL;

-- The authenticator apps of accounts, whose codes a sign-in asks for (TOTP, RFC 6238).
CREATE TABLE totp (
    user_id      TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret       BLOB NOT NULL,                        -- shared with the app
    created_at   INTEGER NOT NULL,
    confirmed_at INTEGER,                              -- a first code has come; NULL: not yet, and no sign-in asks for one
    last_period  INTEGER NOT NULL DEFAULT 0,           -- of the newest code that was taken: none of it or before is taken again
    failures     INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0), -- wrong codes since the last right one
    blocked_until INTEGER                              -- no code counts up to then, because of these
) STRICT, WITHOUT ROWID;

-- What an account signs in with where its authenticator app is lost, each once.
CREATE TABLE recovery_codes (
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    code_sha256 BLOB NOT NULL CHECK (length(code_sha256) = 32),
    PRIMARY KEY (user_id, number)
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
    day      INTEGER PRIMARY KEY,                      -- its midnight
    people   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    visitors INTEGER                                   -- how many different people were online on that day; NULL until it is over
) STRICT;

-- Who has been online on a day (UTC) that is not over yet. Once it is, their number is kept and these rows are removed.
CREATE TABLE daily_visitors (
    day     INTEGER NOT NULL,                          -- its midnight
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (day, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX daily_visitors_user ON daily_visitors (user_id);

-- How many people were online, sampled every five minutes: in all, per organization, per app, and per both. Each sample
-- has the row of organization 0 and app '', even with nobody online: where it is missing, nothing is known. Of the others
-- it has those with anybody. Each organization and app lies in a row, in the order of time, because it is read so.
CREATE TABLE activity_samples (
    organization_id INTEGER NOT NULL,                  -- 0 for all
    app             TEXT NOT NULL,                     -- '' for all
    at              INTEGER NOT NULL,                  -- a multiple of five minutes
    people          INTEGER NOT NULL,
    PRIMARY KEY (organization_id, app, at)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER organization_deleted AFTER DELETE ON organizations
BEGIN
    DELETE FROM activity_samples WHERE organization_id = OLD.id;
END;

-- Announcements to the people who are online.
CREATE TABLE notices (
    id              INTEGER PRIMARY KEY,               -- random, public
    message         TEXT NOT NULL CHECK (message <> ''),
    level           TEXT NOT NULL CHECK (level IN ('info', 'warning', 'critical')),
    app             TEXT NOT NULL DEFAULT '',          -- whom it is for: people of this app, '' for all,
    organization_id INTEGER REFERENCES organizations (id) ON DELETE CASCADE, -- and of this organization, NULL for all
    created_at      INTEGER NOT NULL,
    created_by      TEXT NOT NULL,                     -- as in audit.actor
    until           INTEGER,                           -- NULL: until it is withdrawn
    withdrawn_at    INTEGER
) STRICT;

CREATE INDEX notices_organization ON notices (organization_id);

-- Who has seen a notice: their browser showed it.
CREATE TABLE notice_receipts (
    notice_id INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    seen_at   INTEGER NOT NULL,
    PRIMARY KEY (notice_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX notice_receipts_user ON notice_receipts (user_id);

-- While this row is there, nobody new may log in.
CREATE TABLE drain (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    message         TEXT NOT NULL,
    started_at      INTEGER NOT NULL,
    started_by      TEXT NOT NULL,                     -- as in audit.actor
    end_sessions_at INTEGER,                           -- when to end all sessions; NULL: never
    done_at         INTEGER                            -- when that was done
) STRICT;

-- Who looked at a person, ended a session, changed an account, a key or a setting. Rows are only added; cleanup removes
-- those that are past their own retention, and erasing a person takes the person out of them.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,                        -- in the order in which it happened
    at     INTEGER NOT NULL,
    actor  TEXT NOT NULL,                              -- user:ID, key:ID:APP, or cli for the command line on the data folder, system, unknown or erased:PSEUDONYM
    action TEXT NOT NULL,                              -- such as session.revoke
    target TEXT NOT NULL DEFAULT '',                   -- whom or what it was done to: user:ID, session:ID, key:ID, ...
    detail TEXT NOT NULL DEFAULT '',                   -- what the program says of it: never searched for persons
    words  TEXT NOT NULL DEFAULT '',                   -- what somebody typed: it may name anybody, and goes with whom it names
    erased TEXT NOT NULL DEFAULT '',                   -- the pseudonyms of those who were taken out of it, each with a comma
    salt   BLOB,                                       -- without it nobody can try out what was erased; NULL once something was
    content_sha256 BLOB CHECK (length(content_sha256) = 32), -- of salt, actor, target, detail and words
    chain_sha256   BLOB CHECK (length(chain_sha256) = 32)    -- of the one before, id, at, action and content_sha256: see store/auditchain
) STRICT;

CREATE INDEX audit_at     ON audit (at);
CREATE INDEX audit_actor  ON audit (actor);
CREATE INDEX audit_target ON audit (target, actor, action); -- whether it was recorded just now

CREATE TRIGGER audit_only_grows BEFORE UPDATE ON audit
WHEN NOT (NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.action = OLD.action
          AND (NEW.actor = OLD.actor OR NEW.actor LIKE 'erased:%') AND (NEW.target = OLD.target OR NEW.target LIKE 'erased:%')
          AND NEW.detail IN (OLD.detail, '') AND NEW.words IN (OLD.words, '')
          AND (OLD.chain_sha256 IS NULL
               OR NEW.salt IS NULL AND NEW.content_sha256 IS OLD.content_sha256 AND NEW.chain_sha256 IS OLD.chain_sha256))
BEGIN
    SELECT RAISE(ABORT, 'the audit log is not to be changed');
END;

-- audit_kept_from is set by the cleanup: what happened before is past its retention.
CREATE TRIGGER audit_only_shrinks_by_age BEFORE DELETE ON audit
WHEN OLD.at >= COALESCE((SELECT value FROM settings WHERE name = 'audit_kept_from'), 0)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is not to be changed');
END;

-- What changed, in the order of the commits, for whoever follows along. Triggers write it, so that a change counts
-- whoever makes it. Old rows are removed from time to time, but never the newest: a number is not given twice.
CREATE TABLE changes (
    seq        INTEGER PRIMARY KEY,                    -- without holes
    user_id    TEXT,                                   -- this user may look different in the list now
    session_id INTEGER,                                -- and this session of the user has just ended,
    app        TEXT,                                   --     which was one of this app,
    reason     TEXT,                                   --     for this reason: its end_reason, or user_deleted with its row
    key_id     INTEGER,                                -- this key has just been deleted
    topic      TEXT                                    -- notices or drain: read them again
) STRICT;

CREATE TRIGGER session_begun AFTER INSERT ON user_sessions WHEN NEW.is_active = true
BEGIN
    INSERT INTO changes (user_id) VALUES (NEW.user_id);
END;

-- Most heartbeats change nothing that anybody sees. These set neither page nor leaving_at, not even to the same value,
-- and so cost no row here.
CREATE TRIGGER session_changed AFTER UPDATE OF page, leaving_at, ip_address, user_agent_id, location ON user_sessions WHEN NEW.is_active = true
BEGIN
    INSERT INTO changes (user_id) VALUES (NEW.user_id);
END;

CREATE TRIGGER user_agent_changed AFTER UPDATE ON user_agents
BEGIN
    INSERT INTO changes (user_id) SELECT DISTINCT user_id FROM user_sessions WHERE user_agent_id = NEW.id AND is_active = true;
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
