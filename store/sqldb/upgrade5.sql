-- From version 4 to 5: the sessions of an app or an address without a look at all of them.

CREATE INDEX user_sessions_app     ON user_sessions ((app || ''));
CREATE INDEX user_sessions_address ON user_sessions ((ip_address || ''));
