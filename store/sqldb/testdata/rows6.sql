-- A database of version 6, by a program of that version: its rows, for schema6.sql.

INSERT INTO settings (name, value) VALUES
    ('audit_retention_ms', 31536000000),
    ('heartbeat_ms', 60000),
    ('history_retention_ms', 34560000000),
    ('idle_after_ms', 300000),
    ('leave_grace_ms', 15000),
    ('online_window_ms', 300000),
    ('retention_ms', 2592000000),
    ('schema_version', 6),
    ('session_id_key', 543963924371258629),
    ('session_ttl_ms', 86400000)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value;

INSERT INTO organizations (id, name, created_at, folded) VALUES
    (1, 'Acme', 1793610001000, 'acme');

INSERT INTO users (id, organization_id, name, email, role, team_name, access, created_at, updated_at, folded, role_folded) VALUES
    ('42', 1, 'Ada', '', '', '', 'none', 1793610001000, 1793610002000, 'ada' || char(10) || '' || char(10) || '42' || char(10) || '' || char(10), ''),
    ('43', 1, 'Bob', '', '', '', 'admin', 1793610003000, 1793610003000, 'bob' || char(10) || '' || char(10) || '43' || char(10) || '' || char(10), ''),
    ('44', 1, 'Cy', '', '', '', 'none', 1793610004000, 1793610004000, 'cy' || char(10) || '' || char(10) || '44' || char(10) || '' || char(10), ''),
    ('a/b', 1, 'Slash', '', '', '', 'none', 1793610008000, 1793610008000, 'slash' || char(10) || '' || char(10) || 'a/b' || char(10) || '' || char(10), ''),
    ('claimed', NULL, 'claimed', '', '', '', 'none', 1793610060000, 1793610060000, 'claimed' || char(10) || '' || char(10) || 'claimed' || char(10) || '' || char(10), ''),
    ('crm/lone', NULL, 'Odd', '', '', '', 'none', 1793610006000, 1793610006000, 'odd' || char(10) || '' || char(10) || 'crm/lone' || char(10) || '' || char(10), ''),
    ('lone', 1, 'Lone', '', '', '', 'viewer', 1793610007000, 1793610007000, 'lone' || char(10) || '' || char(10) || 'lone' || char(10) || '' || char(10), ''),
    ('orphan', NULL, 'orphan', '', '', '', 'none', 1793610060000, 1793610060000, 'orphan' || char(10) || '' || char(10) || 'orphan' || char(10) || '' || char(10), ''),
    ('put', NULL, 'put', '', '', '', 'viewer', 1793610060000, 1793610060000, 'put' || char(10) || '' || char(10) || 'put' || char(10) || '' || char(10), ''),
    ('rollcall:root', NULL, 'root', '', '', '', 'admin', 1793610000000, 1793610000000, 'root' || char(10) || '' || char(10) || 'rollcall:root' || char(10) || '' || char(10), ''),
    ('s1', 1, 'Signed', '', '', '', 'none', 1793610009000, 1793610009000, 'signed' || char(10) || '' || char(10) || 's1' || char(10) || '' || char(10), ''),
    ('w1', NULL, 'Wendy', '', '', '', 'none', 1793610005000, 1793610005000, 'wendy' || char(10) || '' || char(10) || 'w1' || char(10) || '' || char(10), '');

INSERT INTO user_sessions (id, user_id, organization_id, app, token_sha256, max_access, ip_address, user_agent, page, idle_ms, last_activity_at, leaving_at, created_at, expires_at, is_active, ended_at, end_reason, ended_by, end_note, device_type, device_os, device_browser, location, heard, session_key_sha256, refused_at) VALUES
    (2024844483386831189, 'lone', 1, 'crm', x'4613a48f02b91e8f8b001246301b2e53da94224676d3e323d47bc88eb7ec75fa', 'viewer', '192.0.2.1', '', '/page/3', 0, 1793610060000, NULL, 1793610007000, 1793696460000, 1, NULL, NULL, '', '', '', '', '', '', 1, NULL, NULL),
    (4112223423280135870, 'crm/lone', NULL, 'wiki', x'cfb6a6bf140fe6bf48efbc1e5177a0594e7d689f7b6c6a8e4559fc02389d5ce3', 'none', '192.0.2.1', '', '', 0, 1793610006000, NULL, 1793610006000, 1793696406000, 1, NULL, NULL, '', '', '', '', '', '', 0, NULL, NULL),
    (5877933070434493587, 's1', 1, 'spa', x'8d3474e39efb8865d58964f2e5c8b5160202c264984f6abf5e8cf9df43db82a8', 'none', '192.0.2.1', '', '/page/5', 0, 1793610060000, NULL, 1793610009000, 1793696460000, 0, 1793610060000, 'logout', '', '', '', '', '', '', 1, NULL, NULL),
    (5928087064182286512, 'rollcall:root', NULL, 'rollcall', x'c9c5194d490c742cbe421b541156fc2dcef1b082ba2ae16350f8986213320e55', 'admin', '', '', '', 0, 1793610000000, NULL, 1793610000000, 1793696400000, 1, NULL, NULL, '', '', '', '', '', '', 0, NULL, NULL),
    (5971062198577152573, '42', 1, 'blog', x'7530c484e4d0d268db665df068063780e22fa59bb68a3efd1160f56ac45d2adf', 'none', '192.0.2.1', '', '', 0, 1793610002000, NULL, 1793610002000, 1793696402000, 1, NULL, NULL, '', '', '', '', '', '', 0, NULL, NULL),
    (7813410468962001283, 'w1', NULL, 'wiki', x'70e9d26c2356a882a79fcec95eacbdcfdb83fc98f6f783dc669ebaf6573ef2bc', 'none', '192.0.2.1', '', '/page/2', 0, 1793610060000, NULL, 1793610005000, 1793696460000, 1, NULL, NULL, '', '', '', '', '', '', 1, NULL, NULL),
    (8179535181202377363, '44', 1, 'blog', x'7f7828fccd814cd32cff9bb6f4fef1332a692d65059727bec9fa7cd69a46237e', 'none', '192.0.2.1', '', '', 0, 1793610004000, NULL, 1793610004000, 1793696404000, 0, 1793610060000, 'revoked', 'user:43', 'a stolen laptop', '', '', '', '', 0, NULL, NULL),
    (8268473454235584405, '43', 1, 'shop', x'89d99e1e3f8ae4aa2f89cd0cc0eb12dec5e034f05cb7770e74e5b2245f31ee0e', 'admin', '192.0.2.1', '', '/page/1', 0, 1793610060000, NULL, 1793610003000, 1793696460000, 1, NULL, NULL, '', '', '', '', '', '', 1, NULL, NULL),
    (8663831955393378449, '42', 1, 'shop', x'85e70caa2da289ff59273f20b4ce4fd63a096d3db08d8aecb07b407f687179f6', 'admin', '192.0.2.1', '', '/page/0', 0, 1793610061000, NULL, 1793610001000, 1793696461000, 1, NULL, NULL, '', '', '', '', '', '', 1, NULL, NULL),
    (8733718815074824983, 'a/b', 1, 'org/app', x'c0762dbe9e69eee774c51888dc71ce3f7790fd3f5c3c14d640cfe2c107a4a2bb', 'none', '192.0.2.1', '', '/page/4', 0, 1793610060000, NULL, 1793610008000, 1793696460000, 1, NULL, NULL, '', '', '', '', '', '', 1, NULL, NULL);
UPDATE user_sessions SET user_agent = 'Firefox', device_type = 'desktop', device_os = 'Linux', device_browser = 'Firefox 140' WHERE user_id = '42';
UPDATE user_sessions SET user_agent = 'Firefox', device_type = 'mobile' WHERE user_id = '44';
UPDATE user_sessions SET user_agent = 'curl' WHERE user_id = 's1';

INSERT INTO status_claims (user_id, app, status, text, until, created_at) VALUES
    ('42', '', 'away', '', NULL, 1793610060000),
    ('claimed', 'wiki', 'away', '', NULL, 1793610060000),
    ('lone', 'crm', 'busy', 'On a call', NULL, 1793610060000);

INSERT INTO accounts (user_id, name, password_hash, created_at) VALUES
    ('rollcall:root', 'root', '$argon2id$v=19$m=19456,t=2,p=1$lNU0e/10uo/7OPP6sgEiuQ$Rt7QKDOMwGwFomIN9brcT2I6KFN9+ByBzy9UyEiHYPw', 1793610000000);

INSERT INTO api_keys (id, app, scopes, key_sha256, created_at) VALUES
    (1387448840872177334, 'crm', 'sessions,read', x'6478e5fea08123121a595fc82ac789b06fed4bbe3101baac54d54e2ef3a76cfa', 1793610000000),
    (1600757381612430095, 'blog', 'sessions', x'0d259f0491045725fa99cdf1bc4680bb6af3dccb4d462c9f12d5e15ab01938eb', 1793610000000),
    (2246259432561479769, 'org/app', 'sessions', x'f0530e8758e9568be81d65410655bab91b0a9003434dc61f437bbac60ed00444', 1793610000000),
    (3708623686864144235, 'shop', 'sessions,admin', x'0404bc195fbf37170f0cc60ecba55231b0bc2ada438229193c7fdb4fc4ce34c2', 1793610000000),
    (5282164058647341219, 'ci', 'read', x'79718b4fb8d635dc38978ddf6c92f485f16571181c37391df2191387aa8510f3', 1793610000000),
    (6792554834491011941, 'wiki', 'sessions', x'f2a9808ee1af4bd8cf60b1e3af063ff7839b3c9d54daa498ce0fb48bde080fe0', 1793610000000);

INSERT INTO daily_visitors (day, user_id) VALUES
    (1793577600000, '42'),
    (1793577600000, '43'),
    (1793577600000, '44'),
    (1793577600000, 'a/b'),
    (1793577600000, 'crm/lone'),
    (1793577600000, 'lone'),
    (1793577600000, 's1'),
    (1793577600000, 'w1');

INSERT INTO activity_samples (organization_id, app, at, people) VALUES
    (0, '', 1793610000000, 6),
    (0, 'blog', 1793610000000, 1),
    (0, 'crm', 1793610000000, 1),
    (0, 'org/app', 1793610000000, 1),
    (0, 'shop', 1793610000000, 2),
    (0, 'wiki', 1793610000000, 2),
    (1, '', 1793610000000, 4),
    (1, 'blog', 1793610000000, 1),
    (1, 'crm', 1793610000000, 1),
    (1, 'org/app', 1793610000000, 1),
    (1, 'shop', 1793610000000, 2);

INSERT INTO notices (id, message, level, app, organization_id, created_at, created_by, until, withdrawn_at) VALUES
    (1816337021651440752, 'Soon', 'info', '', NULL, 1793610060000, 'user:43', NULL, NULL);

INSERT INTO notice_receipts (notice_id, user_id, seen_at) VALUES
    (1816337021651440752, '42', 1793610061000);

INSERT INTO drain (id, message, started_at, started_by, end_sessions_at, done_at) VALUES
    (1, 'Back at ten', 1793610060000, 'user:43', NULL, NULL);

INSERT INTO audit (id, at, actor, action, target, detail, words) VALUES
    (1, 1793610000000, 'user:rollcall:root', 'account.create', 'user:rollcall:root', 'the first account', ''),
    (2, 1793610000000, 'user:rollcall:root', 'panel.sign_in', '', '', ''),
    (3, 1793610000000, 'user:rollcall:root', 'key.create', 'key:1387448840872177334', 'crm: sessions,read', ''),
    (4, 1793610000000, 'user:rollcall:root', 'key.create', 'key:2246259432561479769', 'org/app: sessions', ''),
    (5, 1793610000000, 'user:rollcall:root', 'key.create', 'key:5282164058647341219', 'ci: read', ''),
    (6, 1793610000000, 'user:rollcall:root', 'key.create', 'key:3708623686864144235', 'shop: sessions,admin', ''),
    (7, 1793610000000, 'user:rollcall:root', 'key.create', 'key:1600757381612430095', 'blog: sessions', ''),
    (8, 1793610000000, 'user:rollcall:root', 'key.create', 'key:6792554834491011941', 'wiki: sessions', ''),
    (9, 1793610003000, 'key:3708623686864144235:shop', 'user.access', 'user:43', 'none -> admin', ''),
    (10, 1793610007000, 'key:1387448840872177334:crm', 'user.access', 'user:lone', 'none -> viewer', ''),
    (11, 1793610060000, 'key:1387448840872177334:crm', 'user.access', 'user:put', 'none -> viewer', ''),
    (12, 1793610060000, 'user:43', 'notice.post', 'notice:1816337021651440752', '', 'Soon'),
    (13, 1793610060000, 'user:43', 'drain.begin', '', '', 'Back at ten'),
    (14, 1793610060000, 'user:43', 'session.revoke', 'user:44', 'session 8179535181202377363', 'a stolen laptop'),
    (15, 1793610060000, 'user:43', 'user.view', 'user:42', '', ''),
    (16, 1793610060000, 'user:rollcall:root', 'user.view', 'user:lone', '', '');

DELETE FROM changes; -- that the rows above have caused
INSERT INTO changes (seq, user_id, session_id, app, reason, key_id, topic) VALUES
    (1, 'rollcall:root', NULL, NULL, NULL, NULL, NULL),
    (2, '42', NULL, NULL, NULL, NULL, NULL),
    (3, '42', NULL, NULL, NULL, NULL, NULL),
    (4, '43', NULL, NULL, NULL, NULL, NULL),
    (5, '44', NULL, NULL, NULL, NULL, NULL),
    (6, 'w1', NULL, NULL, NULL, NULL, NULL),
    (7, 'crm/lone', NULL, NULL, NULL, NULL, NULL),
    (8, 'lone', NULL, NULL, NULL, NULL, NULL),
    (9, 'a/b', NULL, NULL, NULL, NULL, NULL),
    (10, 's1', NULL, NULL, NULL, NULL, NULL),
    (11, '42', NULL, NULL, NULL, NULL, NULL),
    (12, '43', NULL, NULL, NULL, NULL, NULL),
    (13, 'w1', NULL, NULL, NULL, NULL, NULL),
    (14, 'lone', NULL, NULL, NULL, NULL, NULL),
    (15, 'a/b', NULL, NULL, NULL, NULL, NULL),
    (16, 's1', NULL, NULL, NULL, NULL, NULL),
    (17, 'lone', NULL, NULL, NULL, NULL, NULL),
    (18, '42', NULL, NULL, NULL, NULL, NULL),
    (19, 'claimed', NULL, NULL, NULL, NULL, NULL),
    (20, NULL, NULL, NULL, NULL, NULL, 'notices'),
    (21, NULL, NULL, NULL, NULL, NULL, 'drain'),
    (22, '44', 8179535181202377363, 'blog', 'revoked', NULL, NULL),
    (23, 's1', 5877933070434493587, 'spa', 'logout', NULL, NULL);
