//go:build postgres

package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
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
func copied(t *testing.T, folder string) (target string, done store.Copied) {
	t.Helper()
	target = t.TempDir()
	done, err := store.Copy(t.Context(), store.Copying{Folder: folder, Database: Config(t, target).Database})
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
		SELECT m.name, (SELECT group_concat('"' || name || '"') FROM pragma_table_info(m.name)) FROM sqlite_schema m WHERE type = 'table'`)
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
	if after, err := os.ReadFile(filepath.Join(folder, store.FileName)); err != nil || !bytes.Equal(before, after) {
		t.Error("the source has changed: ", err)
	}
}

func file(t *testing.T, folder string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, store.FileName))
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
	wantUntouched(t, folder, before)
	rows := rowsOf(t, folder, ShellFile(t, folder, ""))
	if done.Begun != store.CopyNew || len(done.Tables) != len(rows) {
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
	checks(t, "5")
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
		c := store.Copying{Folder: folder, Database: Config(t, target).Database}.WithBatch(rapid.IntRange(1, 10).Draw(rt, "batch"))
		if _, err := store.Copy(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		wantSameRows(t, folder, target)
		w.Store = Open(t, target, presence.DefaultRules())
		w.Check(rt)
		for range 10 {
			rt.Log(w.DoCalmly(rt))
			w.Check(rt)
		}
	})
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
	if _, err := s.SignIn(t.Context(), now, "root", Password, store.Origin{}); err != nil {
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
	if _, err := s.Login(t.Context(), now, shop, store.Login{User: store.UserInput{ID: "new", Organization: &organization}}); err != nil {
		t.Fatal(err)
	}
	changes, err := s.Changes(t.Context(), last, 10)
	if err != nil || len(changes) != 3 || changes[2].UserID != "new" {
		t.Errorf("after change %d: %+v, %v", last, changes, err)
	}
}

func wantTriggersOn(t *testing.T, db *sql.DB) {
	t.Helper()
	if off := number(t, db, `SELECT COUNT(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O' AND tgrelid IN
		(SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)`); off > 0 {
		t.Fatalf("%d triggers are off", off)
	}
}

// TestAnInterruptedCopyGoesOn ends copies at any point. What has been there is
// not copied again, and nobody takes it for the whole.
func TestAnInterruptedCopyGoesOn(t *testing.T) {
	folder, _, _, _ := populated(t, 30)
	before := file(t, folder)
	target := t.TempDir()
	db, address := Shell(t, target), Config(t, target).Database
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := store.Copying{Folder: folder, Database: address}.WithBatch(3)
	brought, states := int64(0), map[store.CopyState]int{}
	for try := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		if try%4 == 3 { // anywhere
			time.AfterFunc(time.Duration(random.Int64N(int64(50*time.Millisecond))), cancel)
		}
		steps := random.IntN(5)
		c.Progress = func(p store.CopyProgress) {
			if p.Doing == store.CopyWriting {
				if steps--; steps < 0 {
					cancel()
				}
			}
		}
		done, err := store.Copy(ctx, c)
		cancel()
		states[done.Begun]++
		if number(t, db, `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()`) == 0 {
			continue // ended before it began
		}
		wantTriggersOn(t, db)
		rows := int64(0)
		for table := range tablesOf(t, folder) {
			if table == "settings" { // loses the mark in the end
				continue
			}
			rows += number(t, db, `SELECT COUNT(*) FROM `+table)
		}
		if rows < brought {
			t.Fatalf("%d rows, and there were %d", rows, brought)
		}
		brought = rows
		if s, opened := store.Open(t.Context(), store.Config{Database: address}); (err != nil) != errors.Is(opened, store.ErrUnfinishedCopy) {
			t.Fatalf("the copy: %v; opening it: %v", err, opened)
		} else if opened == nil {
			t.Log("complete after", try, "interruptions")
			s.Close()
			break
		}
	}
	c.Progress = nil
	if _, err := store.Copy(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantSameRows(t, folder, target)
	wantUntouched(t, folder, before)
}

// alter changes a table behind its triggers' back, so that nothing else is different.
func alter(t *testing.T, db *sql.DB, table, change string) {
	t.Helper()
	execSQL(t, db, `ALTER TABLE `+table+` DISABLE TRIGGER USER; `+change+`; ALTER TABLE `+table+` ENABLE TRIGGER USER`)
}

func TestADifferenceIsFound(t *testing.T) {
	folder, _, _, _ := populated(t, 20)
	target, _ := copied(t, folder)
	c := store.Copying{Folder: folder, Database: Config(t, target).Database}
	again, err := store.Copy(t.Context(), c)
	if err != nil || again.Begun != store.CopyComplete {
		t.Fatal("a complete copy is compared again: ", again.Begun, err)
	}
	for _, tc := range []struct{ name, change, table, key string }{
		{"a row too few", `DELETE FROM notice_receipts WHERE user_id = 'user3'`, "notice_receipts", "user3"},
		{"a row too many", `INSERT INTO daily_peaks VALUES (86400000, 1, 1, NULL)`, "daily_peaks", "86400000"},
		{"a row too many at the end", `INSERT INTO daily_peaks VALUES (9000000000000000, 1, 1, NULL)`, "daily_peaks", "9000000000000000"},
		{"the last row is missing", `DELETE FROM changes WHERE seq = (SELECT MAX(seq) FROM changes)`, "changes", ""},
		{"another text", `UPDATE accounts SET password_hash = 'x'`, "accounts", "rollcall:root"},
		{"a value instead of none", `UPDATE status_claims SET until = 0 WHERE user_id = 'user1'`, "status_claims", "user1"},
		{"another truth", `UPDATE user_sessions SET is_active = false, ended_at = 1, end_reason = 'logout' WHERE user_id = 'user2'`, "user_sessions", ""},
		{"another token", `UPDATE api_keys SET key_sha256 = sha256('x')`, "api_keys", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			target, _ := copied(t, folder)
			c.Database = Config(t, target).Database
			db := Shell(t, target)
			alter(t, db, tc.table, tc.change)
			_, err := store.Copy(t.Context(), c)
			var different *store.DifferenceError
			if !errors.As(err, &different) || different.Table != tc.table || !strings.Contains(fmt.Sprint(different.Key), tc.key) {
				t.Errorf("got %v, want a row %q of %s", err, tc.key, tc.table)
			}
		})
	}
}

// TestALostRowHasTheCopyBeginAnew is about a copy that somebody changes before it is complete.
func TestALostRowHasTheCopyBeginAnew(t *testing.T) {
	folder, _, _, _ := populated(t, 20)
	target := t.TempDir()
	db := Shell(t, target)
	c := store.Copying{Folder: folder, Database: Config(t, target).Database}
	c.Progress = func(p store.CopyProgress) {
		if p.Table == "user_sessions" && p.Doing == store.CopyWriting {
			alter(t, db, "user_sessions", `DELETE FROM user_sessions WHERE user_id = 'user3'`)
		}
	}
	_, err := store.Copy(t.Context(), c)
	if different := (*store.DifferenceError)(nil); !errors.As(err, &different) || different.Table != "user_sessions" {
		t.Fatal(err)
	}
	c.Progress = nil
	done, err := store.Copy(t.Context(), c)
	if err != nil || done.Begun != store.CopyRestarted {
		t.Fatal(done.Begun, err)
	}
	wantSameRows(t, folder, target)
}

func TestASourceThatChangesHasTheCopyBeginAnew(t *testing.T) {
	folder, _, _, _ := populated(t, 20)
	target := t.TempDir()
	beside := ShellFile(t, folder, "")
	changed := false
	c := store.Copying{Folder: folder, Database: Config(t, target).Database, Progress: func(store.CopyProgress) {
		if !changed {
			changed = true
			execSQL(t, beside, `UPDATE users SET email = 'new@example.com' WHERE id = 'user3'`)
		}
	}}
	if _, err := store.Copy(t.Context(), c); !errors.Is(err, store.ErrSourceChanged) {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Config{Database: c.Database}); !errors.Is(err, store.ErrUnfinishedCopy) {
		t.Error(err)
	}
	done, err := store.Copy(t.Context(), c)
	if err != nil || done.Begun != store.CopyRestarted {
		t.Fatal(done.Begun, err)
	}
	wantSameRows(t, folder, target)
}
