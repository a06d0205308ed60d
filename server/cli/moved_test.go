package cli_test

import (
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/store/backup"
	"rollcall/store/sqldb"
)

// TestNothingIsAcknowledgedInAFileThatIsNotAtItsPath takes the database away from under a server.
func TestNothingIsAcknowledgedInAFileThatIsNotAtItsPath(t *testing.T) {
	const file, log = sqldb.FileName, sqldb.FileName + "-wal"
	for name, take := range map[string]func(t *testing.T, data, aside string) error{
		"the file is moved": func(_ *testing.T, data, aside string) error {
			return os.Rename(filepath.Join(data, file), filepath.Join(aside, file))
		},
		"the file is removed":        func(_ *testing.T, data, _ string) error { return os.Remove(filepath.Join(data, file)) },
		"the log is removed":         func(_ *testing.T, data, _ string) error { return os.Remove(filepath.Join(data, log)) },
		"the log's index is removed": func(_ *testing.T, data, _ string) error { return os.Remove(filepath.Join(data, file+"-shm")) },
		"the folder is removed":      func(_ *testing.T, data, _ string) error { return os.RemoveAll(data) },
		"the folder is moved":        func(_ *testing.T, data, aside string) error { return os.Rename(data, filepath.Join(aside, "data")) },
		"a backup is moved over it": func(_ *testing.T, data, aside string) error {
			return os.Rename(filepath.Join(aside, "backup.db"), filepath.Join(data, file))
		},
		"a new folder is in its place": replaceFolder,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, aside := filepath.Join(t.TempDir(), "data"), t.TempDir()
			key := adminKey(t, data)
			if err := backup.Write(t.Context(), data, filepath.Join(aside, "backup.db")); err != nil {
				t.Fatal(err)
			}
			cmd, url, said := startLogging(t, data)
			asked := client.New(url, key)
			defer asked.Close()
			if _, err := asked.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: "before"}}); err != nil {
				t.Fatal(err)
			}
			if err := take(t, data, aside); err != nil {
				t.Fatal(err)
			}
			if _, err := asked.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: "after"}}); err == nil {
				t.Error("a login was acknowledged")
			}
			endsBecauseMoved(t, cmd, func() (last string) {
				for said.Scan() {
					last = said.Text()
				}
				return last
			})
			for _, at := range []string{filepath.Join(data, file), filepath.Join(aside, file), filepath.Join(aside, "data", file)} {
				intact(t, at)
			}
		})
	}
}

func TestAServerThatNobodyAsksNoticesThatItsDatabaseIsGone(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	adminKey(t, data)
	cmd, _, said := startLogging(t, data)
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	endsBecauseMoved(t, cmd, func() (last string) {
		for said.Scan() {
			last = said.Text()
		}
		return last
	})
}

func replaceFolder(t *testing.T, data, aside string) error {
	if err := os.Rename(data, filepath.Join(aside, "data")); err != nil {
		return err
	}
	adminKey(t, data)
	return nil
}

func endsBecauseMoved(t *testing.T, cmd *exec.Cmd, last func() string) {
	t.Helper()
	if words := last(); !strings.Contains(words, "was moved, removed or replaced while it was in use") {
		t.Errorf("the server's last word is %q", words)
	}
	var ended *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != 1 {
		t.Errorf("the server ended by %v", err)
	}
}

// intact checks the database at a path, if there is one. None has the log of another beside it.
func intact(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return
	}
	db, err := sql.Open("sqlite", sqldb.DSN(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("%s is %q: %v", path, verdict, err)
	}
}
