//go:build postgres

package transfer_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
	"rollcall/store/transfer"
)

func TestATargetThatIsNotEmptyIsRefused(t *testing.T) {
	folder, _, _, _ := populated(t, 5)
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, target string)
		says    string
	}{
		"another rollcall's data": {func(t *testing.T, target string) { Open(t, target, presence.DefaultRules()) }, "it has the data of another rollcall"},
		"a copy of the same data": {func(t *testing.T, target string) {
			if _, err := transfer.Copy(t.Context(), transfer.Options{Folder: folder, Database: Config(t, target).Database}); err != nil {
				t.Fatal(err)
			}
		}, "it has a complete copy of this data already"},
		"tables of another program": {func(t *testing.T, target string) {
			ExecSQL(t, Shell(t, target), `CREATE TABLE precious (x INTEGER)`)
		}, "tables that are not rollcall's"},
		"settings of another program": {func(t *testing.T, target string) {
			ExecSQL(t, Shell(t, target), `CREATE TABLE settings (name TEXT, value INTEGER)`)
		}, "tables that are not rollcall's"},
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
			_, err := transfer.Copy(t.Context(), transfer.Options{Folder: folder, Database: Config(t, target).Database})
			if !errors.Is(err, transfer.ErrTargetTaken) || !strings.Contains(err.Error(), tc.says) {
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
	o := transfer.Options{Folder: folder, Database: Config(t, t.TempDir()).Database}
	var second, server error
	o.Progress = func(transfer.Progress) {
		if second == nil { // while the first one has its lock
			_, second = transfer.Copy(t.Context(), transfer.Options{Folder: folder, Database: o.Database + "&lock_timeout=100"})
			_, server = store.Open(t.Context(), store.Config{Database: o.Database + "&lock_timeout=100"})
		}
	}
	if _, err := transfer.Copy(t.Context(), o); err != nil {
		t.Error(err)
	}
	if !errors.Is(second, transfer.ErrTargetTaken) || !strings.Contains(second.Error(), "another copy to it is under way") {
		t.Error("a second copy: ", second)
	}
	if !errors.Is(server, sqldb.ErrBusy) {
		t.Error("a server: ", server)
	}
}

func TestASourceOfAnotherVersionIsRefused(t *testing.T) {
	for version, want := range map[int]error{3: sqldb.ErrOlderSchema, 99: sqldb.ErrNewerSchema} {
		folder, _, _, _ := populated(t, 1)
		ExecSQL(t, ShellFile(t, folder, ""), `UPDATE settings SET value = $1 WHERE name = 'schema_version'`, version)
		target := t.TempDir()
		if _, err := transfer.Copy(t.Context(), transfer.Options{Folder: folder, Database: Config(t, target).Database}); !errors.Is(err, want) {
			t.Errorf("version %d: %v", version, err)
		}
		wantEmpty(t, target)
	}
}

func TestASourceThatIsNoneIsRefused(t *testing.T) {
	empty, text := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(text, sqldb.FileName), []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{empty, text} {
		if _, err := transfer.Copy(t.Context(), transfer.Options{Folder: folder, Database: Config(t, t.TempDir()).Database}); err == nil {
			t.Error("no error")
		}
	}
	if _, err := os.Stat(filepath.Join(empty, sqldb.FileName)); err == nil {
		t.Error("it made a database")
	}
}

func TestADamagedSourceIsRefused(t *testing.T) {
	folder, _, _, _ := populated(t, 5)
	db := ShellFile(t, folder, "&_pragma=writable_schema(1)")
	ExecSQL(t, db, `UPDATE sqlite_schema SET sql = replace(sql, 'user_id', 'id') WHERE name = 'user_sessions_user'`) // whose content is of another column
	if _, err := transfer.Copy(t.Context(), transfer.Options{Folder: folder, Database: Config(t, t.TempDir()).Database}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Error(err)
	}
}

// TestATableThatOnlyTheSourceHasIsNotForgotten is about a table that is added to one schema only.
func TestATableThatOnlyTheSourceHasIsNotForgotten(t *testing.T) {
	for _, change := range []string{`CREATE TABLE extra (id INTEGER PRIMARY KEY)`, `ALTER TABLE notices ADD COLUMN extra INTEGER`} {
		folder, _, _, _ := populated(t, 1)
		ExecSQL(t, ShellFile(t, folder, ""), change)
		target := t.TempDir()
		if _, err := transfer.Copy(t.Context(), transfer.Options{Folder: folder, Database: Config(t, target).Database}); err == nil || !strings.Contains(err.Error(), "extra") {
			t.Errorf("%s: %v", change, err)
		}
		wantEmpty(t, target)
	}
}

func TestRowsThatPostgreSQLRefusesLeaveNothing(t *testing.T) {
	folder, _, _, _ := populated(t, 5)
	ExecSQL(t, ShellFile(t, folder, ""), `DELETE FROM users WHERE id = 'user3'`) // without foreign keys: of others' references nobody asks
	target := t.TempDir()
	_, err := transfer.Copy(t.Context(), transfer.Options{Folder: folder, Database: Config(t, target).Database})
	if err == nil || !strings.Contains(err.Error(), "violates foreign key") || strings.Contains(err.Error(), "user3") {
		t.Error(err)
	}
	wantEmpty(t, target)
}

// tamper has PostgreSQL change what is copied to a table in the schema that stands
// for target. Triggers of tables are switched off meanwhile: one of the database
// adds another to the table once they are.
func tamper(t *testing.T, target, table, body string) {
	t.Helper()
	db := Shell(t, target)
	var schema string
	if err := db.QueryRowContext(t.Context(), `SELECT current_schema()`).Scan(&schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = db.Exec(`DROP EVENT TRIGGER tamper`); _, _ = db.Exec(`DROP SCHEMA tamper CASCADE`) })
	ExecSQL(t, db, `CREATE SCHEMA tamper`)
	ExecSQL(t, db, `CREATE FUNCTION tamper.row() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN `+body+` END $$`)
	ExecSQL(t, db, fmt.Sprintf(`
		CREATE FUNCTION tamper.tables() RETURNS EVENT_TRIGGER LANGUAGE plpgsql AS $$
		BEGIN
			IF current_schema() = '%s' AND to_regclass('%s') IS NOT NULL AND current_query() LIKE '%%DISABLE TRIGGER%%' THEN
				CREATE OR REPLACE TRIGGER tamper BEFORE INSERT ON %[2]s FOR EACH ROW EXECUTE FUNCTION tamper.row();
			END IF;
		END $$`, schema, table))
	ExecSQL(t, db, `CREATE EVENT TRIGGER tamper ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION tamper.tables()`)
}

func TestADifferenceIsFound(t *testing.T) {
	folder, _, _, _ := populated(t, 20)
	for _, tc := range []struct{ name, table, body string }{
		{"a row too few", "notice_receipts", `IF NEW.user_id = 'user3' THEN RETURN NULL; END IF; RETURN NEW;`},
		{"no row", "changes", `RETURN NULL;`},
		{"a row too many", "daily_peaks", `IF pg_trigger_depth() = 1 THEN INSERT INTO daily_peaks VALUES (86400000, 1, 1, NULL); END IF; RETURN NEW;`},
		{"another text", "accounts", `NEW.password_hash := 'x'; RETURN NEW;`},
		{"a value instead of none", "status_claims", `NEW.until := 0; RETURN NEW;`},
		{"none instead of a value", "users", `NEW.organization_id := NULL; RETURN NEW;`},
		{"another number of another row", "activity_samples", `IF NEW.app = '' AND NEW.organization_id = 0 THEN NEW.people := NEW.people + 1; END IF; RETURN NEW;`},
		{"another token", "api_keys", `NEW.key_sha256 := sha256('x'); RETURN NEW;`},
		{"another truth", "user_sessions", `IF NEW.user_id = 'user2' THEN NEW.is_active := false; NEW.ended_at := 1; NEW.end_reason := 'logout'; END IF; RETURN NEW;`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			target := t.TempDir()
			tamper(t, target, tc.table, tc.body)
			_, err := transfer.Copy(t.Context(), transfer.Options{Folder: folder, Database: Config(t, target).Database})
			if different := (*transfer.DifferenceError)(nil); !errors.As(err, &different) || different.Table != tc.table {
				t.Errorf("got %v, want a difference in %s", err, tc.table)
			}
			wantEmpty(t, target)
		})
	}
}
