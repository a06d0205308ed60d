package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestADamagedFileIsToldFromADiskThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(path, make([]byte, 8<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", DSN(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(context.Background(), `CREATE TABLE t (x)`)
	if err = Wrap("writing", err); !errors.Is(err, ErrDamaged) || !errors.Is(err, ErrBroken) {
		t.Errorf("of a file that is no database: %v", err)
	}
}

// overwrite replaces a page of the database in a folder, which nobody has open.
func overwrite(t *testing.T, folder string, page int64, with []byte) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(folder, FileName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(with, (page-1)*1024); err != nil {
		t.Fatal(err)
	}
}

// rootOf returns the first page of a table or an index.
func rootOf(t *testing.T, folder, name string) (page int64) {
	t.Helper()
	db, err := sql.Open("sqlite", DSN(filepath.Join(folder, FileName)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `SELECT rootpage FROM sqlite_schema WHERE name = $1`, name).Scan(&page); err != nil {
		t.Fatal(err)
	}
	return page
}

func TestACheckNamesTheTablesThatAreDamaged(t *testing.T) {
	for name, c := range map[string]struct{ damaged, want string }{
		"nothing is":        {"", ""},
		"a table is":        {"organizations", "organizations: "},
		"an index is":       {"sqlite_autoindex_organizations_1", "organizations: "},
		"what is not asked": {"settings", "settings: "},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			db := openIn(t, folder)
			if err := db.Do(t.Context(), adds(t.Context(), 1, nil)); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = openIn(t, folder)
			if c.damaged != "" {
				overwrite(t, folder, rootOf(t, folder, c.damaged), make([]byte, 1024))
			}
			found, err := CheckFile(t.Context(), filepath.Join(folder, FileName))
			if err != nil || !strings.HasPrefix(found, c.want) || (found == "") != (c.want == "") {
				t.Errorf("of the file it says %q: %v", found, err)
			}
			if before, err := db.Health(); err != nil || before != (Health{}) {
				t.Errorf("before it is checked: %+v, %v", before, err)
			}
			health, err := db.Check(t.Context())
			if err != nil || health.Checked.IsZero() || !strings.HasPrefix(health.Damage, c.want) || (health.Damage == "") != (c.want == "") {
				t.Errorf("of the open database it says %+v: %v", health, err)
			}
			if errors.Is(db.Undamaged(), ErrDamaged) != (c.want != "") {
				t.Errorf("then it is: %v", db.Undamaged())
			}
		})
	}
}

func TestACheckIsAHeavyReadAndEndsWithItsContext(t *testing.T) {
	db := open(t)
	ctx, stop := context.WithCancel(t.Context())
	for range maxHeavyReads {
		done, err := db.heavy.acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer done()
	}
	ended := make(chan error, 1)
	go func() {
		_, err := db.Check(ctx)
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Fatal("it did not wait for its turn: ", err)
	default:
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if health, err := db.Health(); err != nil || health != (Health{}) {
		t.Errorf("of a check that was cut short it knows %+v, %v", health, err)
	}
}

func TestAStopThatLeavesTheLogWasUnclean(t *testing.T) {
	folder, copied := t.TempDir(), t.TempDir()
	db := openIn(t, folder)
	if db.StoppedUncleanly() {
		t.Error("of a new database")
	}
	if err := db.Do(t.Context(), adds(t.Context(), 1, nil)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{FileName, FileName + "-wal"} { // as they are when it is killed
		file, err := os.ReadFile(filepath.Join(folder, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(copied, name), file, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if openIn(t, folder).StoppedUncleanly() {
		t.Error("after it was closed")
	}
	if !openIn(t, copied).StoppedUncleanly() {
		t.Error("not after it was killed")
	}
}

func TestAReaderLeavesNothingThatLooksLikeAnUncleanStop(t *testing.T) {
	folder := t.TempDir()
	if err := openIn(t, folder).Close(); err != nil {
		t.Fatal(err)
	}
	if found, err := CheckFile(t.Context(), filepath.Join(folder, FileName)); err != nil || found != "" {
		t.Fatal(found, err)
	}
	if openIn(t, folder).StoppedUncleanly() {
		t.Error("it does")
	}
}
