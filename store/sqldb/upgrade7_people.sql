-- From version 6 to 7, in both databases, before all else: whose people there are. Each app gets a directory. Apps that
-- share a person by now, by a session or by a claim, have one in common, called after the first of them.

CREATE TABLE known_by (user_id TEXT NOT NULL, app TEXT NOT NULL);
INSERT INTO known_by
    SELECT user_id, app FROM user_sessions WHERE app <> 'rollcall' UNION SELECT user_id, app FROM status_claims WHERE app <> '';
INSERT INTO known_by -- of whom nothing is left but what they may do: who granted it
    SELECT DISTINCT u.id, k.app FROM audit a JOIN users u ON u.id = substr(a.target, 6) JOIN api_keys k ON a.actor = 'key:' || CAST(k.id AS TEXT) || ':' || k.app
    WHERE a.action = 'user.access' AND u.id NOT IN (SELECT user_id FROM known_by);

INSERT INTO apps (name, directory)
    SELECT name, name FROM (
        SELECT app AS name FROM api_keys UNION SELECT app FROM known_by UNION SELECT app FROM activity_samples) known
    WHERE name NOT IN ('', 'rollcall');

WITH RECURSIVE
    shared (a, b) AS (
        SELECT DISTINCT k.app, f.app FROM known_by k JOIN (SELECT user_id, MIN(app) AS app FROM known_by GROUP BY user_id) f ON f.user_id = k.user_id
        WHERE k.app <> f.app),
    either (a, b) AS (SELECT a, b FROM shared UNION SELECT b, a FROM shared),
    reached (a, b) AS (SELECT name, name FROM apps UNION SELECT r.a, e.b FROM reached r JOIN either e ON e.a = r.b)
UPDATE apps SET directory = (SELECT MIN(b) FROM reached WHERE a = apps.name);

UPDATE apps SET directory = replace(replace(directory, '%', '%25'), '/', '%2F') WHERE directory <> replace(replace(directory, '%', '%25'), '/', '%2F');

-- Who is known to no app is one of the only app's people or, where there are several, in a directory of which nobody knows
-- whose it is.
CREATE TABLE moved (old TEXT PRIMARY KEY, new TEXT NOT NULL);
INSERT INTO moved
    SELECT u.id, COALESCE(k.directory, only_one.directory, '?') || '/' || u.id FROM users u
    LEFT JOIN (SELECT k.user_id, MIN(a.directory) AS directory FROM known_by k JOIN apps a ON a.name = k.app GROUP BY k.user_id) k ON k.user_id = u.id
    LEFT JOIN (SELECT MIN(directory) AS directory FROM apps
        WHERE name IN (SELECT app FROM known_by) OR name IN (SELECT app FROM api_keys WHERE scopes <> 'read')
        HAVING COUNT(DISTINCT directory) = 1) only_one ON true
    WHERE substr(u.id, 1, 9) <> 'rollcall:';
DROP TABLE known_by;

-- First those whose id is another's from now on make room, under a name that no application may use.
CREATE TABLE moving (old TEXT PRIMARY KEY, new TEXT NOT NULL);
INSERT INTO moving SELECT old, 'rollcall:' || old FROM moved WHERE old IN (SELECT new FROM moved);
