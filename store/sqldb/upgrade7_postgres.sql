-- From version 6 to 7, in PostgreSQL only, before what both databases need.

-- Whose people: the audit log names them by the directory and the id.
DROP TRIGGER audit_only_grows ON audit;
UPDATE audit SET actor = 'user:' || (SELECT new FROM moved WHERE old = substr(actor, 6))
    WHERE substr(actor, 1, 5) = 'user:' AND substr(actor, 6) IN (SELECT old FROM moved);
UPDATE audit SET target = 'user:' || (SELECT new FROM moved WHERE old = substr(target, 6))
    WHERE substr(target, 1, 5) = 'user:' AND substr(target, 6) IN (SELECT old FROM moved);

-- Who may be at work and is on no record.
CREATE TABLE unidentified (
    id      BIGINT NOT NULL,
    client  TEXT COLLATE "C" NOT NULL DEFAULT '',
    doubt   TEXT COLLATE "C" NOT NULL CHECK (doubt IN ('unknown_token', 'refused_report', 'refused_heartbeat', 'deleted_user')),
    app     TEXT COLLATE "C" NOT NULL DEFAULT '',
    detail  TEXT COLLATE "C" NOT NULL DEFAULT '',
    seen_at BIGINT NOT NULL,
    until   BIGINT NOT NULL,
    PRIMARY KEY (id, client)
);

-- Which key reported a session.
ALTER TABLE user_sessions ADD COLUMN key_id BIGINT;

-- The browsers in which a token is in use.
ALTER TABLE user_sessions ADD COLUMN client TEXT COLLATE "C";
CREATE TABLE session_clients (
    session_id BIGINT NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    client     TEXT COLLATE "C" NOT NULL,
    heard_at   BIGINT NOT NULL,
    PRIMARY KEY (session_id, client)
);

-- Links to choose a password, and authenticator apps.
ALTER TABLE accounts ADD COLUMN link_sha256 BYTEA CHECK (length(link_sha256) = 32);
ALTER TABLE accounts ADD COLUMN link_expires_at BIGINT;
ALTER TABLE accounts ADD COLUMN link_by TEXT COLLATE "C";
CREATE UNIQUE INDEX accounts_link ON accounts (link_sha256) WHERE link_sha256 IS NOT NULL;
CREATE TABLE totp (
    user_id       TEXT COLLATE "C" PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret        BYTEA NOT NULL,
    created_at    BIGINT NOT NULL,
    confirmed_at  BIGINT,
    last_period   BIGINT NOT NULL DEFAULT 0,
    failures      BIGINT NOT NULL DEFAULT 0 CHECK (failures >= 0),
    blocked_until BIGINT
);
CREATE TABLE recovery_codes (
    user_id     TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    number      BIGINT NOT NULL,
    code_sha256 BYTEA NOT NULL CHECK (length(code_sha256) = 32),
    PRIMARY KEY (user_id, number)
);

-- The audit log is a chain of hashes. That of the entries before, chainAudit makes.
ALTER TABLE audit ADD COLUMN erased TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN salt BYTEA;
ALTER TABLE audit ADD COLUMN content_sha256 BYTEA CHECK (length(content_sha256) = 32);
ALTER TABLE audit ADD COLUMN chain_sha256 BYTEA CHECK (length(chain_sha256) = 32);
CREATE TRIGGER audit_only_grows BEFORE UPDATE ON audit FOR EACH ROW
WHEN (NOT (NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.action = OLD.action
           AND (NEW.actor = OLD.actor OR NEW.actor LIKE 'erased:%') AND (NEW.target = OLD.target OR NEW.target LIKE 'erased:%')
           AND NEW.detail IN (OLD.detail, '') AND NEW.words IN (OLD.words, '')
           AND (OLD.chain_sha256 IS NULL OR NEW.salt IS NULL AND NEW.content_sha256 IS NOT DISTINCT FROM OLD.content_sha256
                AND NEW.chain_sha256 IS NOT DISTINCT FROM OLD.chain_sha256)))
EXECUTE FUNCTION refuse_audit_change();

-- The turns to write and to clean up are locks that need a right, and functions mean the tables of their own schema.
CREATE VIEW cleanup_turn AS SELECT 1 AS turn;
CREATE OR REPLACE FUNCTION take_turn() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE drain IN EXCLUSIVE MODE;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION next_change() RETURNS BIGINT LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE drain IN EXCLUSIVE MODE;
    RETURN (SELECT COALESCE(MAX(seq), 0) + 1 FROM changes);
END $$;
DO $fix$
DECLARE
    f REGPROCEDURE;
BEGIN
    FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname IN (
        'take_turn', 'next_change', 'tell_replicas', 'extend_session_expiration', 'note_heard', 'cleanup_expired_sessions', 'note_user', 'note_end',
        'note_user_change', 'note_organization_change', 'forget_samples', 'note_claim', 'note_key', 'note_topic', 'refuse_audit_change', 'keep_audit')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', f, current_schema());
    END LOOP;
END $fix$;
