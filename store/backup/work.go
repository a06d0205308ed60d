package backup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// What the folders begin with in which backups and restores are prepared.
const (
	backingUp = ".rollcall-backup-"
	restoring = ".rollcall-restore-"
)

// inUse is the file in such a folder whose lock says that it is still worked in. The operating
// system releases the lock with the process, however that ends.
const inUse = "lock"

// workFolder makes a folder to prepare a file in, which remove removes.
func workFolder(in, prefix string) (folder string, remove func(), err error) {
	folder, err = os.MkdirTemp(in, prefix)
	if err != nil {
		return "", nil, err
	}
	lock := flock.New(filepath.Join(folder, inUse), flock.SetPermissions(0o600))
	if locked, err := lock.TryLock(); err != nil || !locked {
		return "", nil, errors.Join(errors.New("its folder was taken away"), err, os.RemoveAll(folder))
	}
	return folder, func() {
		_ = os.RemoveAll(folder)
		_ = lock.Unlock()
		_ = os.RemoveAll(folder) // where a file that is open could not be removed
	}, nil
}

// Sweep removes from a folder what backups and restores have left there that were killed: whole
// copies of the database, which nobody knows of who erases a person.
func Sweep(folder string) {
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if entry.IsDir() && (strings.HasPrefix(entry.Name(), backingUp) || strings.HasPrefix(entry.Name(), restoring)) {
			sweepOne(filepath.Join(folder, entry.Name()))
		}
	}
}

func sweepOne(work string) {
	lock := flock.New(filepath.Join(work, inUse), flock.SetPermissions(0o600))
	if locked, err := lock.TryLock(); err != nil || !locked {
		return // somebody works in it, or it is not ours to remove
	}
	_ = os.RemoveAll(work)
	_ = lock.Unlock()
	_ = os.RemoveAll(work)
}
