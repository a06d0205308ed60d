package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/store/auditchain"
	"rollcall/store/layout"
)

const oldSchema = `
	CREATE TABLE settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
	CREATE TABLE old (x INTEGER);
	INSERT INTO old VALUES (42);`

// migrateFile runs migrate on the database in folder.
func migrateFile(t *testing.T, folder, schema string, steps []string) error {
	t.Helper()
	e, conn := openFile(t, folder)
	defer e.close()
	defer conn.Close()
	e.schema, e.steps = schema, steps
	return migrate(t.Context(), conn, e)
}

func openFile(t *testing.T, folder string) (*engine, *sql.Conn) {
	t.Helper()
	e, err := openSQLite(Config{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := e.write.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return e, conn
}

// ask reads one number from the database in folder; -1 where that fails.
func ask(t *testing.T, folder, query string) int {
	t.Helper()
	e, conn := openFile(t, folder)
	defer e.close()
	defer conn.Close()
	n := -1
	_ = conn.QueryRowContext(context.Background(), query).Scan(&n)
	return n
}

const version = `SELECT value FROM settings WHERE name = 'schema_version'`

func TestMigration(t *testing.T) {
	good := []string{`ALTER TABLE old ADD COLUMN y INTEGER`, `UPDATE old SET y = x + 1`}
	t.Run("an older database is upgraded step by step", func(t *testing.T) {
		folder := t.TempDir()
		if err := errors.Join(migrateFile(t, folder, oldSchema, nil), migrateFile(t, folder, "unused", good)); err != nil {
			t.Fatal(err)
		}
		if v, y := ask(t, folder, version), ask(t, folder, `SELECT y FROM old`); v != 3 || y != 43 {
			t.Errorf("version %d, y %d", v, y)
		}
	})
	t.Run("only the missing steps run", func(t *testing.T) {
		folder := t.TempDir()
		if err := errors.Join(migrateFile(t, folder, oldSchema, nil), migrateFile(t, folder, "", good[:1]), migrateFile(t, folder, "", good)); err != nil {
			t.Fatal(err)
		}
		if v := ask(t, folder, version); v != 3 {
			t.Errorf("version %d", v)
		}
	})
	t.Run("a step that fails leaves the database as it was", func(t *testing.T) {
		folder := t.TempDir()
		if err := migrateFile(t, folder, oldSchema, nil); err != nil {
			t.Fatal(err)
		}
		if err := migrateFile(t, folder, "", []string{good[0], `UPDATE nowhere SET y = 1`}); err == nil {
			t.Fatal("no error")
		}
		if v, y := ask(t, folder, version), ask(t, folder, `SELECT COUNT(y) FROM old`); v != 1 || y != -1 {
			t.Errorf("version %d, column y there: %v", v, y >= 0)
		}
	})
	t.Run("a newer database is refused and left alone", func(t *testing.T) {
		folder := t.TempDir()
		if err := errors.Join(migrateFile(t, folder, oldSchema, nil), migrateFile(t, folder, "", good)); err != nil {
			t.Fatal(err)
		}
		if err := migrateFile(t, folder, oldSchema, nil); !errors.Is(err, ErrNewerSchema) {
			t.Fatal(err)
		}
		if v := ask(t, folder, version); v != 3 {
			t.Errorf("version %d", v)
		}
	})
	t.Run("a database of another program is refused", func(t *testing.T) {
		folder := t.TempDir()
		if err := migrateFile(t, folder, oldSchema, nil); err != nil {
			t.Fatal(err)
		}
		e, conn := openFile(t, folder)
		if _, err := conn.ExecContext(t.Context(), `DROP TABLE settings`); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(conn.Close(), e.close(), migrateFile(t, folder, oldSchema, nil)); err == nil {
			t.Fatal("no error")
		}
	})
	t.Run("a file that is no database is refused and left alone", func(t *testing.T) {
		folder := t.TempDir()
		path := filepath.Join(folder, FileName)
		text := "this is not a database, but somebody's precious text that is longer than a header of one hundred bytes ................"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), Config{Folder: folder, Schema: oldSchema}); err == nil {
			t.Fatal("no error")
		}
		if after, _ := os.ReadFile(path); string(after) != text {
			t.Error("the file has changed")
		}
	})
}

// TestUpgradingVersion1 holds the upgraded database against a new one.
func TestUpgradingVersion1(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	old, current := read("testdata/schema1.sql"), read("../../schema.sql")
	fresh := t.TempDir()
	if err := migrateFile(t, fresh, current, steps); err != nil {
		t.Fatal(err)
	}
	v1 := t.TempDir()
	if err := migrateFile(t, v1, old, nil); err != nil {
		t.Fatal(err)
	}
	before := definitions(t, v1)
	if err := migrateFile(t, v1, "", append(steps[:1:1], `UPDATE nowhere SET y = 1`)); err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(before, definitions(t, v1)); diff != "" || ask(t, v1, version) != 1 {
		t.Errorf("an upgrade that was interrupted left version %d and:\n%s", ask(t, v1, version), diff)
	}
	if err := migrateFile(t, v1, "", steps); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(definitions(t, fresh), definitions(t, v1)); diff != "" {
		t.Errorf("new (-) and upgraded (+):\n%s", diff)
	}
	if a, b := ask(t, fresh, version), ask(t, v1, version); a != b || a != len(steps)+1 {
		t.Errorf("a new one has version %d, the upgraded one %d", a, b)
	}
}

// definitions returns what is in a database, by name.
func definitions(t *testing.T, folder string) map[string]string {
	t.Helper()
	e, conn := openFile(t, folder)
	defer e.close()
	defer conn.Close()
	all, err := layout.Of(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestAnUpgradeKeepsTheRows holds every row of version 1 against what it is in the newest.
func TestAnUpgradeKeepsTheRows(t *testing.T) {
	folder := t.TempDir()
	layOutVersion1(t, folder)
	tables := map[string]string{ // and the order of their rows
		"organizations": "id", "users": "id", "user_sessions": "id", "accounts": "user_id", "api_keys": "id", "daily_peaks": "day",
	}
	before := map[string][]map[string]any{}
	for table, key := range tables {
		if before[table] = rowsOf(t, folder, table, key); len(before[table]) == 0 {
			t.Fatalf("%s has no row to keep", table)
		}
	}
	if err := migrateFile(t, folder, "", steps); err != nil {
		t.Fatal(err)
	}
	for table, key := range tables {
		from := table
		if table == "user_sessions" { // part of which is in another
			from = `(SELECT s.*, COALESCE(a.user_agent, '') AS user_agent FROM user_sessions s LEFT JOIN user_agents a ON a.id = s.user_agent_id)`
		}
		after := rowsOf(t, folder, from, key)
		if len(after) != len(before[table]) {
			t.Errorf("%s has %d rows, want %d", table, len(after), len(before[table]))
			continue
		}
		for i, row := range before[table] {
			for column, value := range row {
				if id, isID := value.(string); isID && (table+"."+column == "users.id" || column == "user_id") && !strings.HasPrefix(id, "rollcall:") {
					value = "crm/" + id // the only app
				}
				if diff := cmp.Diff(value, after[i][column]); diff != "" {
					t.Errorf("%s, row %d, %s:\n%s", table, i, column, diff)
				}
			}
		}
	}
	for question, want := range map[string]int{
		`SELECT COUNT(*) FROM pragma_foreign_key_check`:                                             0,
		`SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'`:                  1,
		`SELECT COUNT(*) FROM changes`:                                                              0, // an upgrade is no news
		`SELECT SUM(id) FROM user_sessions WHERE ended_by = '' AND end_note = '' AND location = ''`: 6,
		`SELECT SUM(id) FROM user_sessions WHERE heard`:                                             3, // of whom something came after the login
		`SELECT COUNT(*) FROM organizations WHERE folded = 'arzte & co'`:                            1, // as Go has it, and no SQL
		`SELECT COUNT(*) FROM users WHERE folded = 'ada lukasz' || char(10) || 'ada@example.com' || char(10) || 'ada' || char(10) || 'admin' || char(10) || 'blue'`: 1,
		`SELECT COUNT(*) FROM users WHERE role_folded = 'admin'`:             1,
		`SELECT value FROM settings WHERE name = 'session_id_key'`:           42,
		`SELECT COUNT(*) FROM daily_peaks WHERE visitors IS NULL`:            1,
		`SELECT COUNT(*) FROM apps WHERE name = 'crm' AND directory = 'crm'`: 1,
		`SELECT COUNT(*) FROM audit`:                                         0,
	} {
		if got := ask(t, folder, question); got != want {
			t.Errorf("%s: %d, want %d", question, got, want)
		}
	}
}

func TestOnlyWhoIsAskedToUpgradesAnOlderDatabase(t *testing.T) {
	folder := t.TempDir()
	kept := filepath.Join(folder, FileName+".before-upgrade-1")
	layOutVersion1(t, folder)
	if _, err := Open(t.Context(), Config{Folder: folder}); !errors.Is(err, ErrOlderSchema) || ask(t, folder, version) != 1 {
		t.Fatalf("%v, and its version is %d", err, ask(t, folder, version))
	}
	db, err := Open(t.Context(), Config{Folder: folder, Older: UpgradeAndKeep})
	if err != nil {
		t.Fatal(err)
	}
	if db.KeptCopy() != kept {
		t.Errorf("the copy is in %q, want %q", db.KeptCopy(), kept)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	back := t.TempDir() // as an operator would go back
	if err := os.Rename(kept, filepath.Join(back, FileName)); err != nil {
		t.Fatal(err)
	}
	if v, people := ask(t, back, version), ask(t, back, `SELECT COUNT(*) FROM users`); v != 1 || people != 3 {
		t.Errorf("the copy has version %d and %d people", v, people)
	}
}

func TestWhatIsErasedIsNotInACopyFromBeforeAnUpgrade(t *testing.T) {
	folder := t.TempDir()
	layOutVersion1(t, folder)
	db, err := Open(t.Context(), Config{Folder: folder, Older: UpgradeAndKeep})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Rewrite(t.Context()), db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(db.KeptCopy()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", db.KeptCopy(), err)
	}
	if err := RemoveKeptCopies(filepath.Join(folder, "gone")); err != nil {
		t.Errorf("a folder that is gone: %v", err)
	}
}

// layOutVersion1 makes the database of version 1 in a folder, with rows.
func layOutVersion1(t *testing.T, folder string) {
	t.Helper()
	e, conn := openFile(t, folder)
	defer e.close()
	defer conn.Close()
	for _, file := range []string{"schema1.sql", "rows1.sql"} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.ExecContext(t.Context(), string(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// rowsOf returns the rows of a table by their columns.
func rowsOf(t *testing.T, folder, table, key string) (all []map[string]any) {
	t.Helper()
	e, conn := openFile(t, folder)
	defer e.close()
	defer conn.Close()
	rows, err := conn.QueryContext(t.Context(), `SELECT * FROM `+table+` ORDER BY `+key)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := map[string]any{}
		for i, column := range columns {
			row[column] = values[i]
		}
		all = append(all, row)
	}
	return all
}

func TestAnUpgradeChainsTheAuditLog(t *testing.T) {
	folder := t.TempDir()
	layOutVersion1(t, folder)
	if err := migrateFile(t, folder, "", steps[:5]); err != nil { // up to version 6
		t.Fatal(err)
	}
	change(t, folder, `INSERT INTO audit (id, at, actor, action, words) VALUES (7, 1, 'cli', 'x', 'a'), (8, 2, 'user:ada', 'y', '')`)
	if err := migrateFile(t, folder, "", steps); err != nil {
		t.Fatal(err)
	}
	e, conn := openFile(t, folder)
	defer e.close()
	defer conn.Close()
	rows, err := conn.QueryContext(t.Context(), `SELECT id, at, action, actor, target, detail, words, salt, content_sha256, chain_sha256 FROM audit ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var before []byte
	var said []string
	for rows.Next() {
		var e auditchain.Entry
		var l auditchain.Link
		if err := rows.Scan(&e.ID, &e.At, &e.Action, &e.Actor, &e.Target, &e.Detail, &e.Words, &l.Salt, &l.Content, &l.Chain); err != nil {
			t.Fatal(err)
		}
		if !l.Follows(before, e) || !l.Holds(e) {
			t.Errorf("entry %d is not chained", e.ID)
		}
		before, said = l.Chain, append(said, e.Action+" "+e.Detail)
	}
	if diff := cmp.Diff([]string{"x ", "y ", "audit.chain from entry 7"}, said); diff != "" {
		t.Error(diff)
	}
}
