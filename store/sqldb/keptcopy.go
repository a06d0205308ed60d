package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const beforeUpgrade = ".before-upgrade-" // and the version of its schema

// keepCopy writes a copy of the database beside it, complete and on the disk under its name, or
// none. One that an earlier upgrade has left, which then was interrupted, is replaced.
func (f *openFiles) keepCopy(ctx context.Context, conn *sql.Conn, version int) (kept string, err error) {
	kept = fmt.Sprint(f.path, beforeUpgrade, version)
	unfinished := kept + ".part"
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	_, err = conn.ExecContext(ctx, `VACUUM INTO $1`, unfinished)
	if err == nil {
		err = errors.Join(os.Chmod(unfinished, 0o600), syncPath(unfinished))
	}
	if err == nil {
		err = os.Rename(unfinished, kept)
	}
	if err != nil {
		_ = os.Remove(unfinished)
		return "", Wrap("keeping a copy of the database before its upgrade", err)
	}
	return kept, nil
}

func syncPath(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// RemoveKeptCopies removes the copies that upgrades of the database in a folder have kept.
func RemoveKeptCopies(folder string) error {
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), FileName+beforeUpgrade) {
			err = errors.Join(err, os.Remove(filepath.Join(folder, entry.Name())))
		}
	}
	return err
}
