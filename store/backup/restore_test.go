package backup_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/backup"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// backedUp returns the backup of a database in which these users are logged in.
func backedUp(t *testing.T, users ...string) string {
	t.Helper()
	data := t.TempDir()
	s := OpenFile(t, data, presence.DefaultRules())
	for _, user := range users {
		LogIn(t, s, Start, user)
	}
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := backup.Write(t.Context(), data, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// killed returns a folder as a server leaves it that was killed after these users
// logged in: they are in the log only.
func killed(t *testing.T, users ...string) string {
	t.Helper()
	from, to := t.TempDir(), t.TempDir()
	s := OpenFile(t, from, presence.DefaultRules())
	for _, user := range users {
		LogIn(t, s, Start, user)
	}
	for _, name := range []string{sqldb.FileName, sqldb.FileName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(to, name), content)
	}
	return to
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func restore(t *testing.T, file, folder string, change ...func(*backup.Restoration)) (backup.Restored, error) {
	t.Helper()
	r := backup.Restoration{File: file, Folder: folder, Schema: Schema(t)}
	for _, f := range change {
		f(&r)
	}
	return backup.Restore(t.Context(), Start, r)
}

func endingSessions(r *backup.Restoration) { r.EndSessions = true }

// holds opens the database in folder and checks who is online there.
func holds(t *testing.T, folder string, users ...string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := OnlineIDs(t, s, Start)
	slices.Sort(got)
	if !slices.Equal(got, users) {
		t.Errorf("%v are online, want %v", got, users)
	}
}

// names are the files in a folder.
func names(t *testing.T, folder string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

const before = sqldb.FileName + ".before-restore-20260302T093000Z"

func TestARestoreReplacesTheDatabaseAndKeepsTheOldOne(t *testing.T) {
	file, folder := backedUp(t, "ada", "bob"), killed(t, "old")
	done, err := restore(t, file, folder)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(folder, before); done.Before != want || done.Ended != 0 {
		t.Errorf("got %+v, want the old one in %s", done, want)
	}
	if left := names(t, folder); !slices.Equal(left, []string{sqldb.FileName, before}) {
		t.Errorf("the folder holds %v", left)
	}
	for _, name := range names(t, folder) {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	holds(t, folder, "ada", "bob")
	again := t.TempDir()
	if err := os.Rename(done.Before, filepath.Join(again, sqldb.FileName)); err != nil {
		t.Fatal(err)
	}
	holds(t, again, "old") // also what was in the log only
}

func TestRestoresInOneSecondKeepEachDatabaseThatWasThere(t *testing.T) {
	folder := killed(t, "old")
	for i, ids := range [][]string{{"ada"}, {"bob"}, {"eve"}} {
		file, _ := backedUp(t, ids...), i
		done, err := restore(t, file, folder)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(folder, before) + []string{"", "-2", "-3"}[i]; done.Before != want {
			t.Errorf("the one before is %s, want %s", done.Before, want)
		}
		holds(t, folder, ids...)
	}
}

func TestARestoreIntoAnEmptyFolder(t *testing.T) {
	file, folder := backedUp(t, "ada"), t.TempDir()
	done, err := restore(t, file, folder)
	if err != nil || done.Before != "" {
		t.Fatalf("got %+v, %v", done, err)
	}
	holds(t, folder, "ada")
}

func TestARestoreReadsTheLogBesideABackup(t *testing.T) {
	live, folder := killed(t, "ada"), t.TempDir()
	content, _ := os.ReadFile(filepath.Join(live, sqldb.FileName))
	if _, err := restore(t, filepath.Join(live, sqldb.FileName), folder); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(filepath.Join(live, sqldb.FileName)); string(after) != string(content) {
		t.Error("the log was folded into the backup")
	}
	holds(t, folder, "ada")
	holds(t, live, "ada")
}

func TestARestoreMayEndAllSessions(t *testing.T) {
	data := t.TempDir()
	s := OpenFile(t, data, presence.DefaultRules())
	token := LogIn(t, s, Start, "ada").Token
	LogIn(t, s, Start, "bob")
	if _, err := s.CreateAccount(t.Context(), Start, store.ActorCLI, store.AccountInput{Name: "root", Password: "correct horse battery staple", Access: store.AccessAdmin}); err != nil {
		t.Fatal(err)
	}
	panel, err := s.SignInAs(t.Context(), Start, store.AccountID("root"), store.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	file, folder := filepath.Join(t.TempDir(), "backup.db"), t.TempDir()
	if err := backup.Write(t.Context(), data, file); err != nil {
		t.Fatal(err)
	}
	done, err := restore(t, file, folder, endingSessions)
	if err != nil || done.Ended != 3 {
		t.Fatalf("got %+v, %v", done, err)
	}
	restored := OpenFile(t, folder, presence.Rules{})
	for _, token := range []string{token, panel.Token} {
		if _, err := restored.Authenticate(t.Context(), Start, token); !errors.Is(err, store.ErrSessionEnded) {
			t.Errorf("a session goes on: %v", err)
		}
	}
	page, err := restored.Sessions(t.Context(), Start, store.SessionFilter{User: "ada", State: store.ScopeEnded, Limit: 10})
	if err != nil || len(page.Sessions) != 1 {
		t.Fatal(page, err)
	}
	if e := page.Sessions[0]; e.EndReason != presence.EndRevoked || e.EndedBy != store.ActorCLI || e.EndNote != "restored from a backup" {
		t.Errorf("it ended %s by %s: %s", e.EndReason, e.EndedBy, e.EndNote)
	}
	if deed := ask[string](t, folder, `SELECT actor || ' ' || action || ' ' || detail FROM audit WHERE action = 'database.restore'`); deed != "cli database.restore 3 sessions ended" {
		t.Errorf("the audit log says %q", deed)
	}
}

// ask reads one value from the database in folder.
func ask[V any](t *testing.T, folder, query string) (value V) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, sqldb.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), query).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// edit changes a database behind the program's back.
func edit(t *testing.T, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestAnOlderBackupIsUpgraded(t *testing.T) {
	schema, err := os.ReadFile("../sqldb/testdata/schema1.sql")
	if err != nil {
		t.Fatal(err)
	}
	file, folder := filepath.Join(t.TempDir(), "old.db"), t.TempDir()
	edit(t, file, string(schema)+`; INSERT INTO settings (name, value) VALUES ('schema_version', 1)`)
	content, _ := os.ReadFile(file)
	if _, err := restore(t, file, folder); err != nil {
		t.Fatal(err)
	}
	if version := ask[int](t, folder, `SELECT value FROM settings WHERE name = 'schema_version'`); version != sqldb.SchemaVersion() {
		t.Errorf("its schema is version %d, want %d", version, sqldb.SchemaVersion())
	}
	if after, _ := os.ReadFile(file); string(after) != string(content) {
		t.Error("the backup was changed")
	}
}

func TestWhatIsNoBackupIsRefused(t *testing.T) {
	newer := backedUp(t)
	edit(t, newer, `UPDATE settings SET value = 99 WHERE name = 'schema_version'`)
	alien, empty, text := filepath.Join(t.TempDir(), "alien.db"), filepath.Join(t.TempDir(), "empty.db"), filepath.Join(t.TempDir(), "text.db")
	edit(t, alien, `CREATE TABLE users (x)`)
	write(t, empty, nil)
	write(t, text, []byte(strings.Repeat("somebody's precious text ", 100)))
	damaged := backedUp(t, "ada", "bob")
	content, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(content) / 2; i < len(content); i += 512 { // behind the schema, among tables and indexes
		copy(content[i:], "damage")
	}
	write(t, damaged, content)
	cut := backedUp(t, "ada")
	if err := os.Truncate(cut, int64(len(content)/2+7)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ file, problem string }{
		"a newer one": {newer, "newer version"}, "of another program": {alien, "not a database of rollcall"}, "empty": {empty, "it is empty"},
		"no database": {text, "not a database"}, "damaged": {damaged, "malformed"}, "cut off": {cut, "malformed"}, "not there": {"/no/such/file", "no such file"},
		"a folder": {t.TempDir(), "no file"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := killed(t, "old")
			if _, err := restore(t, test.file, folder, endingSessions); err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("got %v", err)
			}
			if left := names(t, folder); !slices.Equal(left, []string{sqldb.FileName, sqldb.FileName + "-wal"}) {
				t.Errorf("the folder holds %v", left)
			}
			holds(t, folder, "old")
		})
	}
}

func TestADatabaseThatAnyProgramHasOpenIsNotReplaced(t *testing.T) {
	file, folder := backedUp(t, "ada"), t.TempDir()
	s := OpenFile(t, folder, presence.DefaultRules())
	LogIn(t, s, Start, "old")
	if _, err := restore(t, file, folder); !errors.Is(err, sqldb.ErrBusy) {
		t.Fatalf("a store: %v", err)
	}
	LogIn(t, s, Start, "still")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, sqldb.FileName)) // such as the sqlite3 shell, that only looks
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	look, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := look.QueryRow(`SELECT COUNT(*) FROM users`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if _, err := restore(t, file, folder); !errors.Is(err, sqldb.ErrBusy) {
		t.Fatalf("a reader: %v", err)
	}
	if _, err := restore(t, filepath.Join(folder, sqldb.FileName), folder); err == nil || !strings.Contains(err.Error(), "the database itself") {
		t.Errorf("onto itself: %v", err)
	}
	if err := errors.Join(look.Rollback(), db.Close()); err != nil {
		t.Fatal(err)
	}
	holds(t, folder, "old", "still")
}

func TestADamagedDatabaseIsReplacedWithAllThatLiesBesideIt(t *testing.T) {
	file, folder := backedUp(t, "ada"), killed(t, "old")
	for _, name := range names(t, folder) { // of the log as well, out of which SQLite would heal it
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		copy(content, "this was a database")
		write(t, filepath.Join(folder, name), content)
	}
	if _, err := restore(t, file, folder); err != nil {
		t.Fatal(err)
	}
	if left := names(t, folder); !slices.Equal(left, []string{sqldb.FileName, before, before + "-wal"}) {
		t.Errorf("the folder holds %v", left)
	}
	holds(t, folder, "ada")
}

func TestARestoreThatIsGivenUpChangesNothing(t *testing.T) {
	file, folder := backedUp(t, "ada"), killed(t, "old")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := backup.Restore(ctx, time.Now(), backup.Restoration{File: file, Folder: folder, Schema: Schema(t)}); err == nil {
		t.Fatal("no error")
	}
	holds(t, folder, "old")
}
