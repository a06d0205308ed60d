package cli_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"rollcall/store"
	"rollcall/store/backup"
	"rollcall/store/sqldb"
)

// TestARestoreByRootLeavesTheServicesUserItsData is of what only root can do. Where changes are
// checked it must not be skipped.
func TestARestoreByRootLeavesTheServicesUserItsData(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("root is needed")
		}
		t.Skip("only root may give files away")
	}
	const service, other = 65532, 65533
	file := filepath.Join(t.TempDir(), "file.db")
	data := t.TempDir()
	withUser(t, data, "new", func(*store.Store) error { return backup.Write(t.Context(), data, file) })
	for _, test := range []struct {
		name     string
		folder   int // whose the data folder is
		database int // whose the database in it is; 0: there is none
	}{
		{"the replaced database's owner", other, service},
		{"without one, the folder's owner", service, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			if test.database != 0 {
				withUser(t, folder, "old", nil)
				give(t, filepath.Join(folder, sqldb.FileName), test.database)
			}
			give(t, folder, test.folder)
			if out, err := command(t, "restore", file, "--data", folder).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			files, err := os.ReadDir(folder) // the database, the lock, and what was there before
			if err != nil || len(files) < 2 {
				t.Fatalf("the folder holds %v: %v", files, err)
			}
			for _, file := range files {
				info, err := file.Info()
				if err != nil {
					t.Fatal(err)
				}
				if owner := info.Sys().(*syscall.Stat_t); owner.Uid != service || owner.Gid != service {
					t.Errorf("%s is %d:%d's, want %d's", file.Name(), owner.Uid, owner.Gid, service)
				}
			}
		})
	}
}

func give(t *testing.T, path string, user int) {
	t.Helper()
	if err := os.Chown(path, user, user); err != nil {
		t.Fatal(err)
	}
}
