// Package backup makes copies of an SQLite database while it is in use, and puts one back in the
// place of a database that nobody uses. A database on a PostgreSQL server has means of its own.
package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"rollcall/store/sqldb"
)

// Write writes a copy of the database in folder, as of one instant, to a new file while servers
// go on working. The file appears under its name only when it is complete, verified and on disk;
// where there are no hard links, a crash may leave an empty one. An existing file is never replaced.
func Write(ctx context.Context, folder, file string) error {
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("backing up: %s: %w", file, os.ErrExist)
	}
	Sweep(filepath.Dir(file))
	work, done, err := workFolder(filepath.Dir(file), backingUp)
	if err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	defer done()
	copied := filepath.Join(work, sqldb.FileName)
	if err := copyDatabase(ctx, filepath.Join(folder, sqldb.FileName), copied); err != nil {
		return sqldb.Wrap("backing up", err)
	}
	if err := sqldb.VerifyFile(ctx, copied); err != nil {
		return sqldb.Wrap("verifying the backup", err)
	}
	if err := publish(copied, file); err != nil {
		return fmt.Errorf("storing the backup: %w", err)
	}
	return nil
}

// copyDatabase writes what a database holds, with its log, to a new file.
func copyDatabase(ctx context.Context, from, to string) error {
	// A connection of its own: VACUUM INTO is refused where queries only are allowed.
	db, err := sql.Open("sqlite", sqldb.ReadOnlyDSN(from))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, to)
	return err
}

// publish brings a finished file under its name, with its content and its
// folder's entry on disk. A hard link, unlike a rename, replaces nothing.
func publish(from, to string) error {
	if err := os.Chmod(from, 0o600); err != nil {
		return err
	}
	if err := sqldb.SyncFile(from); err != nil {
		return err
	}
	err := os.Link(from, to)
	if err != nil && !errors.Is(err, os.ErrExist) {
		err = moveTo(from, to)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// moveTo is for file systems without hard links, such as FAT. It takes the name
// by an empty file first, which a crash may leave: a rename alone would replace
// what is there.
func moveTo(from, to string) error {
	name, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err = errors.Join(name.Close(), os.Rename(from, to)); err != nil {
		err = errors.Join(err, os.Remove(to))
	}
	return err
}
