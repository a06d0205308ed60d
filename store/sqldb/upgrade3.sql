-- From version 2 to 3: the list of all sessions, who ended them and why.

ALTER TABLE user_sessions ADD COLUMN ended_by TEXT NOT NULL DEFAULT '';
ALTER TABLE user_sessions ADD COLUMN end_note TEXT NOT NULL DEFAULT '';

CREATE INDEX user_sessions_created ON user_sessions (created_at);
