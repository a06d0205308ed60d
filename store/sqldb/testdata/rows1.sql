-- Rows of a database of version 1: people online, idle, gone; an account, a key, a peak.
INSERT INTO settings (name, value) VALUES ('schema_version', 1), ('idle_after_ms', 300000), ('session_ttl_ms', 86400000), ('session_id_key', 42);
INSERT INTO organizations (id, name, created_at) VALUES (7, 'Ärzte & Co', 1000);
INSERT INTO users (id, organization_id, name, email, role, team_name, access, created_at, updated_at) VALUES
    ('ada', 7, 'Ada Łukasz', 'ada@example.com', 'admin', 'blue', 'viewer', 1000, 2000),
    ('bob', NULL, '', '', '', '', 'none', 1000, 1000),
    ('rollcall:root', NULL, 'root', '', '', '', 'admin', 1000, 1000);
INSERT INTO user_sessions (id, user_id, organization_id, app, token_sha256, max_access, ip_address, user_agent, page, idle_ms,
    last_activity_at, leaving_at, created_at, expires_at, is_active, ended_at, end_reason) VALUES
    (1, 'ada', 7, 'shop', randomblob(32), 'viewer', '203.0.113.7', 'Firefox', '/orders', 0, 5000, NULL, 1000, 86405000, 1, NULL, NULL),
    (2, 'ada', 7, 'crm', randomblob(32), 'none', '2001:db8::7', '', '', 400000, 6000, 7000, 1000, 86406000, 1, NULL, NULL),
    (3, 'bob', NULL, 'shop', randomblob(32), 'none', '', '', '', 0, 1000, NULL, 1000, 86401000, 0, 8000, 'logout');
INSERT INTO accounts (user_id, name, password_hash, created_at) VALUES ('rollcall:root', 'root', '$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA', 1000);
INSERT INTO api_keys (id, app, scopes, key_sha256, created_at) VALUES (11, 'shop', 'sessions,read', randomblob(32), 1000);
INSERT INTO daily_peaks (day, people, at) VALUES (0, 2, 6000);
