package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rollcall/store/sqldb"
)

// TestDataThatMayNotBeWrittenIsNamedWithItsOwnerAndTheWayOut has commands run by another user than
// the data's, and on a disk that nobody may write.
func TestDataThatMayNotBeWrittenIsNamedWithItsOwnerAndTheWayOut(t *testing.T) {
	const owner, other = 65532, 65533
	disk := forAnybody(t, smallDisk(t))
	program := programForAnybody(t)
	folder := func(t *testing.T, name string, database, all int, mode os.FileMode) string {
		data := filepath.Join(disk, name)
		adminKey(t, data)
		for path, to := range map[string]int{data: all, filepath.Join(data, sqldb.FileName): database} {
			give(t, path, to)
		}
		if err := os.Chmod(data, mode); err != nil {
			t.Fatal(err)
		}
		return data
	}
	closed, foreign, sealed := folder(t, "closed", owner, owner, 0o700), folder(t, "foreign", owner, other, 0o700), folder(t, "sealed", 0, 0, 0o700)
	sealMount(t, sealed)
	missing := filepath.Join(closed, "below", "data")
	for _, test := range []struct {
		data string
		as   uint32
		want string // %s is the folder
	}{
		{closed, other, "%s belongs to 65532 (mode 0700), and this runs as 65533; run it as 65532, or: chown -R 65533 %[1]s"},
		{foreign, other, "%s/rollcall.db belongs to 65532 (mode 0600), and this runs as 65533; run it as 65532, or: chown -R 65533 %[1]s"},
		{sealed, 0, "%s is on a file system that is mounted read-only; mount it writable, or give another folder. Which it is, tells: findmnt --target %[1]s"},
		{missing, other, "%s may not be looked at by 65533"},
	} {
		for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"account", "list"}, {"key", "create", "--app", "shop", "--scope", "read"}} {
			cmd := program(append(args, "--data", test.data)...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: test.as, Gid: test.as}}
			cmd.Dir = "/"
			out, err := cmd.CombinedOutput()
			if want := fmt.Sprintf(test.want, test.data); err == nil || !strings.Contains(string(out), want) {
				t.Errorf("%v says %q (%v), want %q", cmd.Args[1:], out, err, want)
			}
		}
	}
}

// forAnybody lets other users enter a temporary folder of the test.
func forAnybody(t *testing.T, folder string) string {
	t.Helper()
	for _, path := range []string{folder, filepath.Dir(folder)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// programForAnybody is command for other users, who may not be able to read where the test was built.
func programForAnybody(t *testing.T) func(args ...string) *exec.Cmd {
	t.Helper()
	model := command(t)
	folder := forAnybody(t, t.TempDir())
	for name, from := range map[string]string{"rollcall": model.Path, "schema.sql": "../../schema.sql"} {
		content, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), content, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(folder, "rollcall"), args...)
		cmd.Env = []string{schemaVariable + "=" + filepath.Join(folder, "schema.sql")}
		return cmd
	}
}

// sealMount lets nobody write below a folder.
func sealMount(t *testing.T, folder string) {
	t.Helper()
	if err := syscall.Mount(folder, folder, "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
	if err := syscall.Mount("", folder, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
}
