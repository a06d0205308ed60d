-- From version 6 to 7, in both databases.

-- Whose people: users are known by their directory and id. See upgrade7_people.sql and upgrade7_move.sql.
UPDATE user_sessions SET ended_by = 'user:' || (SELECT new FROM moved WHERE old = substr(ended_by, 6))
    WHERE is_active = false AND substr(ended_by, 1, 5) = 'user:' AND substr(ended_by, 6) IN (SELECT old FROM moved);
UPDATE notices SET created_by = 'user:' || (SELECT new FROM moved WHERE old = substr(created_by, 6))
    WHERE substr(created_by, 1, 5) = 'user:' AND substr(created_by, 6) IN (SELECT old FROM moved);
UPDATE drain SET started_by = 'user:' || (SELECT new FROM moved WHERE old = substr(started_by, 6))
    WHERE substr(started_by, 1, 5) = 'user:' AND substr(started_by, 6) IN (SELECT old FROM moved);
DROP TABLE moving;
DROP TABLE moved;

-- Who is online and who expires, by blocks of time: see store/presence/blocks.go.
DROP INDEX user_sessions_active;
DROP INDEX user_sessions_expiry;
CREATE INDEX user_sessions_active ON user_sessions ((last_activity_at >> 12)) WHERE is_active = true;
CREATE INDEX user_sessions_expiry ON user_sessions ((expires_at >> 19), id, expires_at) WHERE is_active = true;
CREATE INDEX user_sessions_unheard ON user_sessions (last_activity_at) WHERE is_active = true AND heard = false;

-- Which key reported a session: of those before, one that could. Where none is left that could grant their access, they have none.
UPDATE user_sessions SET key_id = (
        SELECT MIN(k.id) FROM api_keys k
        WHERE k.app = user_sessions.app AND (k.scopes LIKE '%admin%' OR k.scopes LIKE '%read%' AND user_sessions.max_access = 'viewer'))
    WHERE is_active = true AND app <> 'rollcall' AND max_access <> 'none';
UPDATE user_sessions SET max_access = 'none' WHERE is_active = true AND app <> 'rollcall' AND max_access <> 'none' AND key_id IS NULL;
