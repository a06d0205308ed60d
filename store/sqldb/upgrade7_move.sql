-- From version 6 to 7, in both databases, twice: users move to another id with all that is theirs.
INSERT INTO users (id, organization_id, name, email, role, team_name, access, created_at, updated_at, folded, role_folded)
    SELECT m.new, u.organization_id, u.name, u.email, u.role, u.team_name, u.access, u.created_at, u.updated_at, u.folded, u.role_folded
    FROM users u JOIN moving m ON m.old = u.id;
UPDATE user_sessions SET user_id = (SELECT new FROM moving WHERE old = user_id) WHERE user_id IN (SELECT old FROM moving);
UPDATE status_claims SET user_id = (SELECT new FROM moving WHERE old = user_id) WHERE user_id IN (SELECT old FROM moving);
UPDATE daily_visitors SET user_id = (SELECT new FROM moving WHERE old = user_id) WHERE user_id IN (SELECT old FROM moving);
UPDATE notice_receipts SET user_id = (SELECT new FROM moving WHERE old = user_id) WHERE user_id IN (SELECT old FROM moving);
DELETE FROM users WHERE id IN (SELECT old FROM moving);
DELETE FROM moving;
INSERT INTO moving SELECT CASE WHEN old IN (SELECT new FROM moved) THEN 'rollcall:' || old ELSE old END, new FROM moved;
