package backup_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/backup"
	"rollcall/store/layout"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// changed runs SQL on a file as whoever has it in hand can.
func changed(t *testing.T, file, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", sqldb.DSN(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestABackupThatDoesThingsByItselfIsRefused(t *testing.T) {
	for name, statements := range map[string]string{
		"a trigger makes every session an admin's": `
			CREATE TRIGGER evil AFTER INSERT ON user_sessions BEGIN UPDATE user_sessions SET max_access = 'admin' WHERE id = NEW.id; END`,
		"the audit log may be changed": `DROP TRIGGER audit_only_grows; DROP TRIGGER audit_only_shrinks_by_age`,
		"a view stands for a table":    `ALTER TABLE api_keys RENAME TO hidden; CREATE VIEW api_keys AS SELECT * FROM hidden`,
	} {
		t.Run(name, func(t *testing.T) {
			file, folder := backedUp(t, "ada"), t.TempDir()
			changed(t, file, statements)
			if _, err := restore(t, file, folder); !errors.Is(err, layout.ErrForeign) {
				t.Errorf("got %v", err)
			}
			if left := names(t, folder); len(left) > 0 {
				t.Errorf("the folder holds %v", left)
			}
		})
	}
}

func TestOnlyTheRowsOfABackupAreRestored(t *testing.T) {
	file, folder := backedUp(t, "ada"), t.TempDir()
	changed(t, file, `
		CREATE TABLE smuggled (x); CREATE VIEW looking AS SELECT * FROM smuggled; CREATE INDEX slow ON users (hex(name));
		PRAGMA writable_schema = 1;
		UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (is_active IN (0, 1))', 'CHECK (is_active IN (0, 1)) -- more' || char(10)) WHERE name = 'user_sessions'`)
	if _, err := restore(t, file, folder); err != nil {
		t.Fatal(err)
	}
	holds(t, folder, "ada")
	restored, fresh := shapeOf(t, folder), t.TempDir()
	OpenFile(t, fresh, presence.DefaultRules())
	for name, text := range shapeOf(t, fresh) {
		if restored[name] != text {
			t.Errorf("%s is %s", name, restored[name])
		}
		delete(restored, name)
	}
	for name := range restored {
		t.Errorf("%s came along", name)
	}
}

// shapeOf is the schema of the database in a folder, to the letter.
func shapeOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	rows, err := ShellFile(t, folder, "").QueryContext(t.Context(), `SELECT name, COALESCE(sql, '') FROM sqlite_schema`)
	if err != nil {
		t.Fatal(err)
	}
	shape := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		shape[name] = text
	}
	return shape
}

func TestRowsThatAreNotAllowedAreNotRestored(t *testing.T) {
	for name, statements := range map[string]string{
		"of nobody":                 `PRAGMA foreign_keys = 0; DELETE FROM users`,
		"that a table would refuse": `PRAGMA ignore_check_constraints = 1; UPDATE users SET access = 'root'`,
	} {
		t.Run(name, func(t *testing.T) {
			file, folder := backedUp(t, "ada"), t.TempDir()
			changed(t, file, statements)
			if _, err := restore(t, file, folder); err == nil {
				t.Error("it is restored")
			}
			if left := names(t, folder); len(left) > 0 {
				t.Errorf("the folder holds %v", left)
			}
		})
	}
}

// TestCopyingRowsKeepsThemAll also those of tables to which triggers of others would add.
func TestCopyingRowsKeepsThemAll(t *testing.T) {
	data, copied := t.TempDir(), t.TempDir()
	s := OpenFile(t, data, presence.DefaultRules())
	now, open, _ := Everything(t, s, 30)
	Touch(t, s, now.Add(time.Second), open[0], store.Beat{}) // which waits in the log of heartbeats
	if err := backup.CopyRows(t.Context(), filepath.Join(data, sqldb.FileName), copied, Schema(t)); err != nil {
		t.Fatal(err)
	}
	want, got := allRows(t, data), allRows(t, copied)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for table, rows := range want {
		if len(rows) == 0 && table != "session_tokens" {
			t.Errorf("%s has no row to copy", table)
		}
	}
}

// allRows are the rows of the database in a folder, in words, by table.
func allRows(t *testing.T, folder string) map[string][]string {
	t.Helper()
	db, all := ShellFile(t, folder, ""), map[string][]string{}
	for _, table := range textsOf(t, db, `SELECT name FROM sqlite_schema WHERE type = 'table'`) {
		columns := textsOf(t, db, `SELECT 'quote(' || name || ')' FROM pragma_table_info('`+table+`')`)
		all[table] = textsOf(t, db, `SELECT `+strings.Join(columns, `||' '||`)+` FROM `+table+` ORDER BY 1`)
	}
	return all
}

func textsOf(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := sqldb.Collect(rows, func(rows *sql.Rows) (text string, err error) { return text, rows.Scan(&text) })
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
