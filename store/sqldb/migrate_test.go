package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// definitions returns what is in a database, by name, without comments and with spaces between words only.
func definitions(t *testing.T, folder string) map[string]string {
	t.Helper()
	e, conn := openFile(t, folder)
	defer e.close()
	defer conn.Close()
	rows, err := conn.QueryContext(t.Context(), `SELECT type || ' ' || name || ' on ' || tbl_name, COALESCE(sql, '') FROM sqlite_schema`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		all[name] = punctuation.ReplaceAllString(strings.Join(strings.Fields(comment.ReplaceAllString(text, "")), " "), "$1")
	}
	return all
}

var (
	comment     = regexp.MustCompile(`--[^\n]*`)
	punctuation = regexp.MustCompile(` ?([,()]) ?`)
)
