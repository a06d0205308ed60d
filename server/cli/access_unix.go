//go:build !windows

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"rollcall/server/doctor"
)

// accessHint says which file of a data folder this process may not write, whose it is and what
// mends that; "" where it may write all of them.
func accessHint(folder string) string {
	folder = absolute(folder)
	for _, path := range []string{folder, filepath.Join(folder, databaseName), filepath.Join(folder, databaseName+"-wal"),
		filepath.Join(folder, databaseName+"-shm"), filepath.Join(folder, lockName)} {
		switch err := unix.Access(path, unix.R_OK|unix.W_OK); {
		case errors.Is(err, unix.EROFS):
			return fmt.Sprintf("%s is on a file system that is mounted read-only; mount it writable, or give another folder. Which it is, tells: findmnt --target %s",
				path, doctor.InShell(path))
		case errors.Is(err, unix.EACCES):
			return ownerHint(folder, path)
		case errors.Is(err, unix.ENOENT) && path == folder:
			return fmt.Sprintf("%s can not be made by %s; as root: install -d -m 700 -o %[2]s %s", path, nameOfUser(os.Geteuid()), doctor.InShell(folder))
		}
	}
	return ""
}

func ownerHint(folder, path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Sprintf("%s may not be looked at by %s; give a folder that it may enter", path, nameOfUser(os.Geteuid()))
	}
	owner := nameOfUser(int(info.Sys().(*syscall.Stat_t).Uid))
	return fmt.Sprintf("%s belongs to %s (mode %04o), and this runs as %s; run it as %s, or: chown -R %s %s",
		path, owner, info.Mode().Perm(), nameOfUser(os.Geteuid()), owner, nameOfUser(os.Geteuid()), doctor.InShell(folder))
}

// nameOfUser is how chown takes a user: by name, or by number where it has none.
func nameOfUser(id int) string {
	number := strconv.Itoa(id)
	known, err := user.LookupId(number)
	if err != nil {
		return number
	}
	return cmp.Or(known.Username, number)
}
