package cli_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/store/sqldb"
)

// TestOnlyServeUpgradesData goes from version to version as an operator does: a backup by the new
// program first, while the old server still runs, and then the new server.
func TestOnlyServeUpgradesData(t *testing.T) {
	data := t.TempDir()
	file, saved := filepath.Join(data, sqldb.FileName), filepath.Join(t.TempDir(), "backup.db")
	makeVersion1(t, file)
	for _, args := range [][]string{{"account", "list"}, {"key", "create", "--app", "shop", "--scope", "read"}, {"cleanup"}} {
		out, err := command(t, append(args, "--data", data)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "stop the server first and start it by this version, or use the server's version") {
			t.Errorf("%v said %q: %v", args, out, err)
		}
	}
	if out, err := command(t, "backup", saved, "--data", data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, path := range []string{file, saved} {
		if v := versionOf(t, path); v != 1 {
			t.Errorf("%s has version %d now", path, v)
		}
	}
	kept := file + ".before-upgrade-1"
	for start, want := range []bool{true, false} { // whether the copy is there after it
		cmd, _ := startServer(t, data)
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		if v := versionOf(t, file); v != sqldb.SchemaVersion() {
			t.Errorf("start %d: version %d", start, v)
		}
		if _, err := os.Stat(kept); errors.Is(err, os.ErrNotExist) == want {
			t.Errorf("start %d: the copy: %v", start, err)
		}
	}
}

func makeVersion1(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", sqldb.DSN(file))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, name := range []string{"schema1.sql", "rows1.sql"} {
		text, err := os.ReadFile(filepath.Join("../../store/sqldb/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), string(text)); err != nil {
			t.Fatal(err)
		}
	}
}

func versionOf(t *testing.T, file string) (version int) {
	t.Helper()
	db, err := sql.Open("sqlite", sqldb.ReadOnlyDSN(file))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `SELECT value FROM settings WHERE name = 'schema_version'`).Scan(&version); err != nil {
		t.Error(err)
	}
	return version
}
