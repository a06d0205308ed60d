-- From version 5 to 6, in both databases: the active sessions of a person without a look at those that have ended; indexes
-- on the columns themselves in place of expressions; whether a heartbeat has come; tokens that change.

DROP INDEX user_sessions_user;
CREATE INDEX user_sessions_user ON user_sessions (user_id, is_active);

DROP INDEX user_sessions_app;
CREATE INDEX user_sessions_app ON user_sessions (app);

DROP INDEX user_sessions_address;
CREATE INDEX user_sessions_address ON user_sessions (ip_address);

UPDATE user_sessions SET heard = true WHERE last_activity_at <> created_at;

CREATE INDEX user_sessions_named ON user_sessions (session_key_sha256) WHERE session_key_sha256 IS NOT NULL;
CREATE INDEX user_sessions_refused ON user_sessions (refused_at) WHERE refused_at IS NOT NULL;
CREATE INDEX session_tokens_session ON session_tokens (session_id);
