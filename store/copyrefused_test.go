//go:build postgres

package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

func TestATargetWithAnythingElseIsRefused(t *testing.T) {
	folder, _, _, _ := populated(t, 5)
	other, _, _, _ := populated(t, 5)
	begun := func(t *testing.T, from, target string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := store.Copy(ctx, store.Copying{Folder: from, Database: Config(t, target).Database, Progress: func(p store.CopyProgress) {
			if p.Table == "users" {
				cancel()
			}
		}})
		if err == nil {
			t.Fatal("it was not interrupted")
		}
	}
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, target string)
		says    string
	}{
		"another rollcall's data": {func(t *testing.T, target string) {
			s, err := store.Open(t.Context(), store.Config{Database: Config(t, target).Database})
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
		}, "it has the data of another rollcall"},
		"a server at work": {func(t *testing.T, target string) { Open(t, target, presence.DefaultRules()) }, "a rollcall is connected"},
		"an unfinished copy of another source": {func(t *testing.T, target string) { begun(t, other, target) },
			"an unfinished copy of another rollcall"},
		"a complete copy of another source": {func(t *testing.T, target string) {
			if _, err := store.Copy(t.Context(), store.Copying{Folder: other, Database: Config(t, target).Database}); err != nil {
				t.Fatal(err)
			}
		}, "it has the data of another rollcall"},
		"tables of another program": {func(t *testing.T, target string) {
			execSQL(t, Shell(t, target), `CREATE TABLE precious (x INTEGER)`)
		}, "tables that are not rollcall's"},
		"a copy that another version has begun": {func(t *testing.T, target string) {
			begun(t, folder, target)
			execSQL(t, Shell(t, target), `UPDATE settings SET value = 99 WHERE name = 'schema_version'`)
		}, "begun by another version"},
	} {
		t.Run(name, func(t *testing.T) {
			target := t.TempDir()
			tc.prepare(t, target)
			db := Shell(t, target)
			everything := func() (sum string) {
				if err := db.QueryRowContext(t.Context(), `SELECT md5(schema_to_xml(current_schema()::name, true, false, '')::text)`).Scan(&sum); err != nil {
					t.Fatal(err)
				}
				return sum
			}
			before := everything()
			_, err := store.Copy(t.Context(), store.Copying{Folder: folder, Database: Config(t, target).Database})
			if !errors.Is(err, store.ErrTargetTaken) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want %q", err, tc.says)
			}
			if everything() != before {
				t.Error("it was changed")
			}
		})
	}
}

func TestOneCopyAtATime(t *testing.T) {
	folder, _, _, _ := populated(t, 5)
	target := t.TempDir()
	c := store.Copying{Folder: folder, Database: Config(t, target).Database}
	var second error
	c.Progress = func(store.CopyProgress) {
		if second == nil {
			_, second = store.Copy(t.Context(), store.Copying{Folder: folder, Database: c.Database})
		}
	}
	if _, err := store.Copy(t.Context(), c); err != nil {
		t.Error(err)
	}
	if !errors.Is(second, store.ErrTargetTaken) || !strings.Contains(second.Error(), "another copy to it is under way") {
		t.Error(second)
	}
}

func TestASourceOfAnotherVersionIsRefused(t *testing.T) {
	for version, want := range map[int]error{3: store.ErrOlderSchema, 99: store.ErrNewerSchema} {
		folder, _, _, _ := populated(t, 1)
		execSQL(t, ShellFile(t, folder, ""), `UPDATE settings SET value = $1 WHERE name = 'schema_version'`, version)
		target := t.TempDir()
		if _, err := store.Copy(t.Context(), store.Copying{Folder: folder, Database: Config(t, target).Database}); !errors.Is(err, want) {
			t.Errorf("version %d: %v", version, err)
		}
		if n := number(t, Shell(t, target), `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()`); n > 0 {
			t.Errorf("version %d: it made %d tables", version, n)
		}
	}
}

func TestASourceThatIsNoneIsRefused(t *testing.T) {
	empty, text := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(text, store.FileName), []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{empty, text} {
		if _, err := store.Copy(t.Context(), store.Copying{Folder: folder, Database: Config(t, t.TempDir()).Database}); err == nil {
			t.Error("no error")
		}
	}
	if _, err := os.Stat(filepath.Join(empty, store.FileName)); err == nil {
		t.Error("it made a database")
	}
}

// TestATableThatOnlyTheTargetHasIsNotOverlooked is about one that the source should have too.
func TestATableThatOnlyTheTargetHasIsNotOverlooked(t *testing.T) {
	folder, _, _, _ := populated(t, 1)
	for _, change := range []string{`CREATE TABLE extra (id INTEGER)`, `ALTER TABLE notices ADD COLUMN extra INTEGER`} {
		target := t.TempDir()
		db, once := Shell(t, target), false
		c := store.Copying{Folder: folder, Database: Config(t, target).Database, Progress: func(p store.CopyProgress) {
			if !once && p.Doing == store.CopyWriting {
				once = true
				execSQL(t, db, change)
			}
		}}
		if _, err := store.Copy(t.Context(), c); err == nil || !strings.Contains(err.Error(), "extra") {
			t.Errorf("%s: %v", change, err)
		}
	}
}

func TestRowsThatAreRefusedLeaveTheTriggersOn(t *testing.T) {
	folder, _, _, _ := populated(t, 5)
	target := t.TempDir()
	db, once := Shell(t, target), false
	c := store.Copying{Folder: folder, Database: Config(t, target).Database, Progress: func(p store.CopyProgress) {
		if !once && p.Doing == store.CopyWriting {
			once = true
			execSQL(t, db, `ALTER TABLE user_sessions ADD CHECK (user_id <> 'user3')`)
		}
	}}
	if _, err := store.Copy(t.Context(), c); err == nil || strings.Contains(err.Error(), "user3") {
		t.Errorf("the refusal of a row: %v", err)
	}
	wantTriggersOn(t, db)
}

// TestATableThatOnlyTheSourceHasIsNotForgotten is about a table that is added to one schema only.
func TestATableThatOnlyTheSourceHasIsNotForgotten(t *testing.T) {
	for _, change := range []string{`CREATE TABLE extra (id INTEGER PRIMARY KEY)`, `ALTER TABLE notices ADD COLUMN extra INTEGER`} {
		folder, _, _, _ := populated(t, 1)
		execSQL(t, ShellFile(t, folder, ""), change)
		target := t.TempDir()
		if _, err := store.Copy(t.Context(), store.Copying{Folder: folder, Database: Config(t, target).Database}); err == nil || !strings.Contains(err.Error(), "extra") {
			t.Errorf("%s: %v", change, err)
		}
		if _, err := store.Open(t.Context(), store.Config{Database: Config(t, target).Database}); !errors.Is(err, store.ErrUnfinishedCopy) {
			t.Error(err)
		}
	}
}

// TestTextsThatPostgreSQLCanNotStoreAreReplaced has them in every kind of column, as
// earlier versions and the sqlite3 shell let them in.
func TestTextsThatPostgreSQLCanNotStoreAreReplaced(t *testing.T) {
	folder, _, _, _ := populated(t, 10)
	db := ShellFile(t, folder, "&_pragma=foreign_keys(1)")
	for _, statement := range []string{
		`INSERT INTO users (id, name, created_at, updated_at) VALUES (char(0) || 'first', 'a' || char(0) || 'b', 1, 1)`,
		`INSERT INTO users (id, name, created_at, updated_at) VALUES (CAST(x'80ff21' AS TEXT), '', 1, 1)`,
		`INSERT INTO status_claims (user_id, app, status, created_at) VALUES (char(0) || 'first', '', 'busy', 1)`,
		`UPDATE user_sessions SET page = CAST(x'2f80' AS TEXT) WHERE user_id = 'user1'`,
	} {
		execSQL(t, db, statement)
	}
	target := t.TempDir()
	c := store.Copying{Folder: folder, Database: Config(t, target).Database}.WithBatch(3)
	interrupted, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Progress = func(p store.CopyProgress) {
		if p.Table == "users" && p.Rows == 6 {
			cancel()
		}
	}
	if _, err := store.Copy(interrupted, c); err == nil {
		t.Fatal("it was not interrupted")
	}
	c.Progress = nil
	// The triggers of SQLite have noted the claim and the page: two more texts in changes, of which one is clean.
	done, err := store.Copy(t.Context(), c)
	if err != nil || done.Replaced != 6 || done.Begun != store.CopyResumed {
		t.Fatalf("%+v, %v", done, err)
	}
	copied := Shell(t, target)
	for _, query := range []string{
		`SELECT COUNT(*) FROM users WHERE id = U&'\FFFDfirst' AND name = U&'a\FFFDb'`,
		`SELECT COUNT(*) FROM users WHERE id = U&'\FFFD!'`,
		`SELECT COUNT(*) FROM status_claims WHERE user_id = U&'\FFFDfirst'`,
		`SELECT COUNT(*) FROM user_sessions WHERE page = U&'/\FFFD' AND user_id = 'user1'`,
	} {
		if n := number(t, copied, query); n != 1 {
			t.Errorf("%s: %d", query, n)
		}
	}
}
