//go:build postgres

package transfer_test

import (
	"bytes"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/store"
	"rollcall/store/beats"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
	"rollcall/store/transfer"
)

// populated returns a folder with a database that has rows in every table, and
// what Everything says of it.
func populated(t *testing.T, people int) (folder string, now time.Time, open, ended []string) {
	t.Helper()
	folder = t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: Schema(t), Rules: presence.DefaultRules()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now, open, ended = Everything(t, s, people)
	return folder, now, open, ended
}

// copied copies folder to a new database, and returns a folder that stands for it.
func copied(t *testing.T, folder string) (target string, done transfer.Result) {
	t.Helper()
	target = t.TempDir()
	done, err := transfer.Copy(t.Context(), transfer.Options{Folder: folder, Database: Config(t, target).Database})
	if err != nil {
		t.Fatal(err)
	}
	return target, done
}

// rowsOf returns all rows of a database in words, by table. The tables and their
// columns are those of the SQLite database in folder.
func rowsOf(t *testing.T, folder string, db *sql.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for table, columns := range tablesOf(t, folder) {
		rows, err := db.QueryContext(t.Context(), `SELECT `+columns+` FROM `+table)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row := make([]any, strings.Count(columns, ",")+1)
			into := make([]any, len(row))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			words := strings.NewReplacer("true", "1", "false", "0").Replace(fmt.Sprintf("%v", row))
			all[table] = append(all[table], words)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		slices.Sort(all[table])
	}
	return all
}

func tablesOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	rows, err := ShellFile(t, folder, "").QueryContext(t.Context(), `
		SELECT m.name, (SELECT group_concat('"' || name || '"') FROM pragma_table_info(m.name)) FROM sqlite_schema m WHERE type = 'table' AND name <> '`+beats.Table+`'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tables := map[string]string{}
	for rows.Next() {
		var name, columns string
		if err := rows.Scan(&name, &columns); err != nil {
			t.Fatal(err)
		}
		tables[name] = columns
	}
	return tables
}

func wantSameRows(t *testing.T, folder, target string) {
	t.Helper()
	want, got := rowsOf(t, folder, ShellFile(t, folder, "")), rowsOf(t, folder, Shell(t, target))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("source (-) and copy (+):\n%s", diff)
	}
}

func wantUntouched(t *testing.T, folder string, before []byte) {
	t.Helper()
	if after, err := os.ReadFile(filepath.Join(folder, sqldb.FileName)); err != nil || !bytes.Equal(before, after) {
		t.Error("the source has changed: ", err)
	}
}

func file(t *testing.T, folder string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, sqldb.FileName))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestACopyHasEveryRowOfEveryTable(t *testing.T) {
	folder, _, _, _ := populated(t, 40)
	before := file(t, folder)
	target, done := copied(t, folder)
	wantSameRows(t, folder, target)
	wantTriggersOn(t, Shell(t, target))
	wantUntouched(t, folder, before)
	rows := rowsOf(t, folder, ShellFile(t, folder, ""))
	if len(done.Tables) != len(rows) {
		t.Errorf("it says %+v, there are %d tables", done, len(rows))
	}
	for _, table := range done.Tables {
		// A table that is empty here would not show whether it is copied: use it in Everything.
		if n := len(rows[table.Name]); n == 0 || table.Rows != int64(n) {
			t.Errorf("%+v, and there are %d rows", table, n)
		}
	}
}

func TestACopyOfWhateverHappened(t *testing.T) {
	few(t)
	rapid.Check(t, func(rt *rapid.T) {
		folder := t.TempDir()
		s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: Schema(t), Rules: presence.DefaultRules()})
		if err != nil {
			t.Fatal(err)
		}
		w := NewWorld(s)
		for range Pick(rt, "length", 20, 40, 80) {
			rt.Log(w.DoCalmly(rt))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		target := t.TempDir()
		if _, err := transfer.Copy(t.Context(), transfer.Options{Folder: folder, Database: Config(t, target).Database}); err != nil {
			t.Fatal(err)
		}
		foldSource(t, folder)
		wantSameRows(t, folder, target)
		w.Store = Open(t, target, presence.DefaultRules())
		w.Check(rt)
		for range 10 {
			rt.Log(w.DoCalmly(rt))
			w.Check(rt)
		}
	})
}

// foldSource has the rows of a database say all that its log of heartbeats does, as those of a copy do.
func foldSource(t *testing.T, folder string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.FoldAllHeartbeats(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestACopyGoesOnWhereTheSourceWas(t *testing.T) {
	folder, now, open, ended := populated(t, 20)
	target, _ := copied(t, folder)
	old := OpenFile(t, folder, presence.Rules{})
	s := Open(t, target, presence.Rules{})
	for _, token := range open {
		a, errA := old.Authenticate(t.Context(), now, token)
		b, errB := s.Authenticate(t.Context(), now, token)
		if diff := cmp.Diff(a, b); diff != "" || errors.Join(errA, errB) != nil {
			t.Fatalf("who is logged in: %v, %v\n%s", errA, errB, diff)
		}
	}
	for _, token := range ended {
		if _, err := s.Authenticate(t.Context(), now, token); !errors.Is(err, store.ErrSessionEnded) {
			t.Error("a session that has ended is back: ", err)
		}
	}
	if _, err := s.SignIn(t.Context(), now, store.Credentials{Name: "root", Password: Password}, store.Origin{}); err != nil {
		t.Error("signing in: ", err)
	}
	last, err := old.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.EndDrain(t.Context(), now, "user:rollcall:root"); err != nil { // is audited too
		t.Fatal(err)
	}
	organization := "quite new"
	if _, err := s.Login(t.Context(), now, store.By{App: "shop"}, store.Login{User: store.UserInput{ID: "new", Organization: &organization}}); err != nil {
		t.Fatal(err)
	}
	changes, err := s.Changes(t.Context(), last, 10)
	if err != nil || len(changes) != 3 || changes[2].UserID != "new" {
		t.Errorf("after change %d: %+v, %v", last, changes, err)
	}
}

func wantTriggersOn(t *testing.T, db *sql.DB) {
	t.Helper()
	if off := Number(t, db, `SELECT COUNT(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O' AND tgrelid IN
		(SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)`); off > 0 {
		t.Fatalf("%d triggers are off", off)
	}
}

// few makes a property try few cases unless the command line says how many.
func few(t *testing.T) {
	t.Helper()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", "5"); err != nil {
			t.Fatal(err)
		}
	}
}
