-- From version 5 to 6, in both databases: the active sessions of a person without a look at those that have ended; indexes
-- on the columns themselves in place of expressions; whether a heartbeat has come.

DROP INDEX user_sessions_user;
CREATE INDEX user_sessions_user ON user_sessions (user_id, is_active);

DROP INDEX user_sessions_app;
CREATE INDEX user_sessions_app ON user_sessions (app);

DROP INDEX user_sessions_address;
CREATE INDEX user_sessions_address ON user_sessions (ip_address);

UPDATE user_sessions SET heard = true WHERE last_activity_at <> created_at;
