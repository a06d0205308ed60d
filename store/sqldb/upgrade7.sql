-- From version 6 to 7, in both databases.

-- Which key reported a session: of those before, one that could. Where none is left that could grant their access, they have none.
UPDATE user_sessions SET key_id = (
        SELECT MIN(k.id) FROM api_keys k
        WHERE k.app = user_sessions.app AND (k.scopes LIKE '%admin%' OR k.scopes LIKE '%read%' AND user_sessions.max_access = 'viewer'))
    WHERE is_active = true AND app <> 'rollcall' AND max_access <> 'none';
UPDATE user_sessions SET max_access = 'none' WHERE is_active = true AND app <> 'rollcall' AND max_access <> 'none' AND key_id IS NULL;
