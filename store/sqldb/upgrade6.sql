-- From version 5 to 6, in both databases: the active sessions of a person without a look at those that have ended.

DROP INDEX user_sessions_user;
CREATE INDEX user_sessions_user ON user_sessions (user_id, is_active);
