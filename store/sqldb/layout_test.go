package sqldb

import (
	"errors"
	"os"
	"strings"
	"testing"

	"rollcall/store/layout"
)

// tampered are changes of a database's schema, and what is said of them.
var tampered = map[string]struct{ sql, words string }{
	"a trigger makes every session an admin's": {`CREATE TRIGGER evil AFTER INSERT ON user_sessions BEGIN
		UPDATE users SET access = 'admin' WHERE id = NEW.user_id; END`, "trigger 'evil' is not ours"},
	"a trigger on a table that is not ours": {`CREATE TABLE more (x); CREATE TRIGGER evil AFTER INSERT ON more BEGIN DELETE FROM audit; END`, "trigger 'evil' is not ours"},
	"a trigger of the audit log is gone":    {`DROP TRIGGER audit_only_grows`, "trigger 'audit_only_grows' is missing"},
	"a trigger does something else": {`DROP TRIGGER session_heard; CREATE TRIGGER session_heard AFTER UPDATE OF last_activity_at ON user_sessions
		BEGIN UPDATE user_sessions SET max_access = 'admin' WHERE id = NEW.id; END`, "trigger 'session_heard' is changed"},
	"a trigger watches another table": {`DROP TRIGGER claim_removed; CREATE TRIGGER claim_removed AFTER DELETE ON notices
		BEGIN INSERT INTO changes (user_id) VALUES (OLD.user_id); END`, "trigger 'claim_removed' is changed"},
	"a view stands for a table":  {`ALTER TABLE accounts RENAME TO hidden; CREATE VIEW accounts AS SELECT * FROM hidden`, "table 'accounts' is missing"},
	"a table checks less":        {`PRAGMA foreign_keys = 0; DROP TABLE daily_peaks; CREATE TABLE daily_peaks (day INTEGER PRIMARY KEY, people, at, visitors)`, "table 'daily_peaks' is changed"},
	"a table has another column": {`ALTER TABLE accounts ADD COLUMN second_password TEXT`, "table 'accounts' is changed"},
	"an index is gone":           {`DROP INDEX user_sessions_user`, "index 'user_sessions_user' is missing"},
}

func ownSchema(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// change runs SQL on the database in a folder.
func change(t *testing.T, folder, sql string) {
	t.Helper()
	e, conn := openFile(t, folder)
	_, err := conn.ExecContext(t.Context(), sql)
	if err := errors.Join(err, conn.Close(), e.close()); err != nil {
		t.Fatal(err)
	}
}

func TestADatabaseOfAnotherLayoutIsNotOpened(t *testing.T) {
	for name, test := range tampered {
		t.Run(name, func(t *testing.T) {
			folder, cfg := t.TempDir(), Config{Schema: ownSchema(t)}
			cfg.Folder = folder
			reopen := func() error {
				db, err := Open(t.Context(), cfg)
				if err == nil {
					err = db.Close()
				}
				return err
			}
			if err := errors.Join(reopen(), reopen()); err != nil {
				t.Fatal(err)
			}
			change(t, folder, test.sql)
			err := reopen()
			if !errors.Is(err, layout.ErrForeign) || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %v, want %s", err, test.words)
			}
		})
	}
}

func TestAnOlderDatabaseOfAnotherLayoutIsNotUpgraded(t *testing.T) {
	folder := t.TempDir()
	layOutVersion1(t, folder)
	change(t, folder, tampered["a trigger makes every session an admin's"].sql)
	_, err := Open(t.Context(), Config{Folder: folder, Schema: ownSchema(t), Older: UpgradeWithout})
	if !errors.Is(err, layout.ErrForeign) || ask(t, folder, version) != 1 {
		t.Errorf("got %v, and its version is %d", err, ask(t, folder, version))
	}
}

func TestViewsTablesAndIndexesOfOthersAreNobodysBusiness(t *testing.T) {
	cfg := Config{Folder: t.TempDir(), Schema: ownSchema(t)}
	for range 2 {
		db, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		change(t, cfg.Folder, `
			CREATE VIEW IF NOT EXISTS logged_in AS SELECT user_id FROM user_sessions WHERE is_active;
			CREATE TABLE IF NOT EXISTS rooms (user_id TEXT, room TEXT);
			CREATE INDEX IF NOT EXISTS by_email ON users (email);
			ANALYZE`)
	}
}
