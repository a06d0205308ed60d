//go:build postgres

package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// TestBothSchemasAreTheSame holds what postgres.sql makes against what schema.sql
// makes: tables, columns, keys, references and indexes. Heartbeats are a log in SQLite only: in PostgreSQL
// several replicas write, none of which knows what waits in another's memory.
func TestBothSchemasAreTheSame(t *testing.T) {
	file, folder := t.TempDir(), t.TempDir()
	OpenFile(t, file, presence.DefaultRules())
	Open(t, folder, presence.DefaultRules())
	lite, post := ShellFile(t, file, ""), Shell(t, folder)
	for what, queries := range map[string][2]string{
		"columns": {`
			SELECT m.name || '.' || c.name || CASE WHEN m.name || '.' || c.name IN ('user_sessions.is_active', 'user_sessions.heard') THEN ' boolean'
				WHEN c.type = 'INTEGER' THEN ' bigint' WHEN c.type = 'BLOB' THEN ' bytea' ELSE ' text C' END
				|| CASE WHEN c."notnull" OR c.pk > 0 THEN ' NOT NULL' ELSE '' END
			FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name <> 'heartbeat_log' ORDER BY m.name, c.cid`, `
			SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || COALESCE(' ' || l.collname, '')
				|| CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 LEFT JOIN pg_collation l ON l.oid = a.attcollation
			WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
			ORDER BY c.relname COLLATE "C", a.attnum`},
		"keys": {`
			SELECT m.name || ' (' || group_concat(c.name, ', ' ORDER BY c.pk) || ')'
			FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name <> 'heartbeat_log' AND c.pk > 0 GROUP BY m.name ORDER BY m.name`, `
			SELECT c.relname || ' (' || string_agg(a.attname, ', ' ORDER BY array_position(k.conkey, a.attnum)) || ')'
			FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
			WHERE k.contype = 'p' AND c.relnamespace = current_schema()::regnamespace
			GROUP BY c.relname ORDER BY c.relname COLLATE "C"`},
		"references": {`
			SELECT m.name || '.' || f."from" || ' to ' || f."table" || '.' || f."to" || ' ' || f.on_delete
			FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY 1`, `
			SELECT c.relname || '.' || a.attname || ' to ' || r.relname || '.' || b.attname || CASE k.confdeltype WHEN 'c' THEN ' CASCADE' WHEN 'a' THEN ' NO ACTION' ELSE ' something else' END
			FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1] JOIN pg_attribute b ON b.attrelid = r.oid AND b.attnum = k.confkey[1]
			WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace ORDER BY 1`},
		"indexes": {`
			SELECT name || ' on ' || tbl_name || ' ' || substr(sql, instr(sql, '(')) FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name`, `
			SELECT indexname || ' on ' || tablename || ' ' || substr(indexdef, strpos(indexdef, '(')) FROM pg_indexes
			WHERE schemaname = current_schema() AND indexname NOT LIKE '%\_pkey' AND indexname NOT LIKE '%\_key' ORDER BY indexname`},
		"unique columns": {`
			SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_index_list(m.name) l JOIN pragma_index_info(l.name) c
			WHERE m.type = 'table' AND l.origin = 'u' ORDER BY 1`, `
			SELECT c.relname || '.' || a.attname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
			WHERE k.contype = 'u' AND c.relnamespace = current_schema()::regnamespace ORDER BY 1`},
		"version": {`SELECT value FROM settings WHERE name = 'schema_version'`, `SELECT value FROM settings WHERE name = 'schema_version'`},
	} {
		one, other := lines(t, lite, queries[0]), lines(t, post, queries[1])
		if len(one) == 0 {
			t.Errorf("there are no %s", what)
		}
		if diff := cmp.Diff(one, other); diff != "" {
			t.Errorf("%s in SQLite (-) and PostgreSQL (+):\n%s", what, diff)
		}
	}
}

// lines are what a query finds, without what each engine writes in its own way.
func lines(t *testing.T, db *sql.DB, query string) (found []string) {
	t.Helper()
	plain := strings.NewReplacer("(", "", ")", "", "::text", "")
	for _, line := range texts(t, db, query) {
		found = append(found, strings.Join(strings.Fields(plain.Replace(line)), " "))
	}
	return found
}

// TestBothSchemasRefuseTheSame: what the columns do not allow.
func TestBothSchemasRefuseTheSame(t *testing.T) {
	file, folder := t.TempDir(), t.TempDir()
	OpenFile(t, file, presence.DefaultRules())
	Open(t, folder, presence.DefaultRules())
	const session = `INSERT INTO user_sessions (id, user_id, app, token_sha256, last_activity_at, created_at, expires_at`
	digest, short := make([]byte, 32), make([]byte, 31)
	for name, db := range map[string]*sql.DB{"sqlite": ShellFile(t, file, "&_pragma=foreign_keys(1)"), "postgres": Shell(t, folder)} {
		ExecSQL(t, db, `INSERT INTO users (id, created_at, updated_at) VALUES ('ada', 0, 0)`)
		ExecSQL(t, db, `INSERT INTO user_agents (id, user_agent) VALUES (1, 'Firefox')`)
		ExecSQL(t, db, session+`, user_agent_id) VALUES (1, 'ada', 'shop', $1, 0, 0, 0, 1)`, digest)
		ExecSQL(t, db, `INSERT INTO audit (at, actor, action) VALUES (5, 'user:ada', 'x')`)
		for _, bad := range []struct {
			statement string
			args      []any
		}{
			{`INSERT INTO settings (name, value) VALUES ('schema_version', 7)`, nil},
			{`INSERT INTO organizations (name, created_at) VALUES ('', 0)`, nil},
			{`INSERT INTO users (id, created_at, updated_at) VALUES ('', 0, 0)`, nil},
			{`INSERT INTO users (id, access, created_at, updated_at) VALUES ('bob', 'root', 0, 0)`, nil},
			{`INSERT INTO users (id, organization_id, created_at, updated_at) VALUES ('bob', 7, 0, 0)`, nil},
			{session + `) VALUES (2, 'bob', 'shop', $1, 0, 0, 0)`, []any{digest}},
			{session + `) VALUES (2, 'ada', 'shop', $1, 0, 0, 0)`, []any{short}},
			{session + `, user_agent_id) VALUES (2, 'ada', 'shop', $1, 0, 0, 0, 7)`, []any{digest}},
			{session + `, idle_ms) VALUES (2, 'ada', 'shop', $1, 0, 0, 0, -1)`, []any{digest}},
			{session + `, max_access) VALUES (2, 'ada', 'shop', $1, 0, 0, 0, 'root')`, []any{digest}},
			{`INSERT INTO user_agents (id, user_agent) VALUES (2, 'Firefox')`, nil},
			{`DELETE FROM user_agents`, nil},
			{`UPDATE user_sessions SET is_active = false`, nil},
			{`UPDATE user_sessions SET ended_at = 1`, nil},
			{`UPDATE user_sessions SET is_active = false, ended_at = 1, end_reason = 'bored'`, nil},
			{`INSERT INTO status_claims (user_id, app, status, created_at) VALUES ('ada', '', 'available', 0)`, nil},
			{`INSERT INTO accounts (user_id, name, password_hash, created_at) VALUES ('bob', 'bob', '', 0)`, nil},
			{`INSERT INTO accounts (user_id, name, password_hash, created_at, link_sha256) VALUES ('ada', 'ada', '', 0, $1)`, []any{short}},
			{`INSERT INTO totp (user_id, secret, created_at) VALUES ('bob', $1, 0)`, []any{short}},
			{`INSERT INTO totp (user_id, secret, created_at, failures) VALUES ('ada', $1, 0, -1)`, []any{short}},
			{`INSERT INTO recovery_codes (user_id, number, code_sha256) VALUES ('ada', 1, $1)`, []any{short}},
			{`INSERT INTO recovery_codes (user_id, number, code_sha256) VALUES ('bob', 1, $1)`, []any{digest}},
			{`INSERT INTO api_keys (id, app, scopes, key_sha256, created_at) VALUES (1, '', 'read', $1, 0)`, []any{digest}},
			{`INSERT INTO api_keys (id, app, scopes, key_sha256, created_at) VALUES (1, 'shop', 'read', $1, 0)`, []any{short}},
			{`INSERT INTO notices (id, message, level, created_at, created_by) VALUES (1, '', 'info', 0, 'cli')`, nil},
			{`INSERT INTO notices (id, message, level, created_at, created_by) VALUES (1, 'x', 'loud', 0, 'cli')`, nil},
			{`INSERT INTO drain (id, message, started_at, started_by) VALUES (2, 'x', 0, 'cli')`, nil},
			{`UPDATE audit SET at = 4`, nil},
			{`UPDATE audit SET detail = 'y'`, nil},
			{`DELETE FROM audit`, nil},
		} {
			if _, err := db.Exec(bad.statement, bad.args...); err == nil {
				t.Errorf("%s takes %s", name, bad.statement)
			}
		}
		if n := Number(t, db, `SELECT COUNT(*) FROM changes`); n != 1 {
			t.Errorf("in %s what was refused left %d changes", name, n-1)
		}
	}
	db := Shell(t, folder)
	if _, err := db.Exec(`TRUNCATE audit`); err == nil {
		t.Error("the audit log can be emptied")
	}
	if _, err := db.Exec(`INSERT INTO organizations (name, created_at) VALUES ('Acme', 0)`); err != nil {
		t.Error(fmt.Errorf("an organization without an id: %w", err))
	}
}

func TestUpgradingPostgresFromVersion5(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := Shell(t, folder)
	const indexes = `SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY indexname`
	fresh := texts(t, db, indexes)
	ada, bob := LogIn(t, s, Start, "ada"), LogIn(t, s, Start, "bob")
	Touch(t, s, Start.Add(time.Minute), ada.Token, store.Beat{})
	for _, statement := range []string{`DROP TRIGGER session_heard ON user_sessions`, `DROP FUNCTION note_heard`, `DROP VIEW cleanup_turn`, `DROP TABLE session_tokens, session_clients, unidentified, apps, totp, recovery_codes`,
		`ALTER TABLE accounts DROP COLUMN link_sha256, DROP COLUMN link_expires_at, DROP COLUMN link_by`,
		`DROP TRIGGER session_changed ON user_sessions`, `ALTER TABLE user_sessions DROP COLUMN user_agent_id, ADD COLUMN user_agent TEXT COLLATE "C" NOT NULL DEFAULT '',
			ADD COLUMN device_type TEXT COLLATE "C" NOT NULL DEFAULT '', ADD COLUMN device_os TEXT COLLATE "C" NOT NULL DEFAULT '', ADD COLUMN device_browser TEXT COLLATE "C" NOT NULL DEFAULT ''`,
		`DROP TABLE user_agents`, `DROP FUNCTION note_user_agent`,
		`CREATE TRIGGER session_changed AFTER UPDATE OF page, leaving_at, ip_address, user_agent, device_type, device_os, device_browser, location ON user_sessions
			FOR EACH ROW WHEN (NEW.is_active) EXECUTE FUNCTION note_user()`,
		`ALTER TABLE user_sessions DROP COLUMN heard, DROP COLUMN session_key_sha256, DROP COLUMN refused_at, DROP COLUMN client, DROP COLUMN key_id`,
		`ALTER TABLE users DROP COLUMN folded, DROP COLUMN role_folded`, `ALTER TABLE organizations DROP COLUMN folded`,
		`CREATE TABLE replica_marks (id BIGINT)`, `DROP TRIGGER audit_only_grows ON audit`, `ALTER TABLE audit DROP COLUMN words, DROP COLUMN erased, DROP COLUMN salt, DROP COLUMN content_sha256, DROP COLUMN chain_sha256`,
		`INSERT INTO audit (at, actor, action, target, detail) VALUES (1, 'cli', 'notice.post', '', 'Back at six'), (2, 'cli', 'key.create', '', 'shop: read')`,
		`CREATE TRIGGER audit_only_grows BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()`} {
		ExecSQL(t, db, statement)
	}
	ExecSQL(t, db, `DROP INDEX user_sessions_user`)
	ExecSQL(t, db, `CREATE INDEX user_sessions_user ON user_sessions (user_id)`)
	ExecSQL(t, db, `UPDATE settings SET value = 5 WHERE name = 'schema_version'`)
	older := Config(t, folder)
	if _, err := store.Open(t.Context(), older); !errors.Is(err, sqldb.ErrOlderSchema) {
		t.Errorf("who was not to upgrade it got %v", err)
	}
	older.Older = sqldb.UpgradeAndKeep
	if v, err := OpenConfig(t, older).VerifyAudit(t.Context()); err != nil || len(v.Broken) > 0 || v.Entries < 2 {
		t.Errorf("the audit log: %+v, %v", v, err)
	}
	if diff := cmp.Diff(fresh, texts(t, db, indexes)); diff != "" {
		t.Errorf("new (-) and upgraded (+):\n%s", diff)
	}
	if folded := texts(t, db, `SELECT folded FROM users ORDER BY id`); !slices.Equal(folded, []string{"name of ada\n\nada\n\n", "name of bob\n\nbob\n\n"}) {
		t.Errorf("folded: %q", folded)
	}
	if v := Number(t, db, `SELECT value FROM settings WHERE name = 'schema_version'`); v != int64(sqldb.SchemaVersion()) {
		t.Errorf("version %d", v)
	}
	if said := texts(t, db, `SELECT detail || '|' || words FROM audit ORDER BY at LIMIT 2`); !slices.Equal(said, []string{"|Back at six", "shop: read|"}) {
		t.Errorf("the audit log says %q", said)
	}
	heard := texts(t, db, `SELECT user_id FROM user_sessions WHERE heard`)
	ExecSQL(t, db, `UPDATE user_sessions SET last_activity_at = last_activity_at + 1 WHERE id = $1`, bob.ID)
	if both := texts(t, db, `SELECT user_id FROM user_sessions WHERE heard ORDER BY 1`); !slices.Equal(heard, []string{"shop/ada"}) || len(both) != 2 {
		t.Errorf("heartbeats have come of %v, and then of %v", heard, both)
	}
}
