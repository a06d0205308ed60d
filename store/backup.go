package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Backup writes a copy of the database, as of one instant, to a new file while
// the store goes on working. The file appears under its name only when it is
// complete, verified and on disk; where there are no hard links, a crash may leave
// an empty one. An existing file is never replaced.
func (s *Store) Backup(ctx context.Context, file string) error {
	return s.engine.backup(ctx, file)
}

// backUp copies the database at path to a file.
func backUp(ctx context.Context, path, file string) error {
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("backing up: %s: %w", file, os.ErrExist)
	}
	folder, err := os.MkdirTemp(filepath.Dir(file), ".rollcall-backup-")
	if err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	defer os.RemoveAll(folder)
	copied := filepath.Join(folder, FileName)
	if err := copyDatabase(ctx, path, copied); err != nil {
		return wrapErr("backing up", err)
	}
	if _, err := verify(ctx, copied); err != nil {
		return wrapErr("verifying the backup", err)
	}
	if err := publish(copied, file); err != nil {
		return fmt.Errorf("storing the backup: %w", err)
	}
	return nil
}

// copyDatabase writes what a database holds, with its log, to a new file.
func copyDatabase(ctx context.Context, from, to string) error {
	// A connection of its own: VACUUM INTO is refused where queries only are allowed.
	db, err := sql.Open("sqlite", dsn(from)+readOnly)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, to)
	return err
}

// readOnly leaves even the log beside a database as it is.
const readOnly = "&mode=ro"

// ReadOnlyDSN names the database at path for a connection that can not change it.
func ReadOnlyDSN(path string) string { return dsn(path, "query_only(1)") + readOnly }

// verify reads the whole file, which must be a database of rollcall, and returns
// the version of its schema.
func verify(ctx context.Context, file string) (version int, err error) {
	db, err := sql.Open("sqlite", ReadOnlyDSN(file))
	if err != nil {
		return 0, err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return 0, err
	}
	if verdict != "ok" {
		return 0, fmt.Errorf("it is damaged: %s", verdict)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if version, err = schemaVersion(ctx, conn, sqliteTables); err == nil && version == 0 {
		err = errors.New("it is empty")
	}
	return version, err
}

// publish brings a finished file under its name, with its content and its
// folder's entry on disk. A hard link, unlike a rename, replaces nothing.
func publish(from, to string) error {
	if err := os.Chmod(from, 0o600); err != nil {
		return err
	}
	if err := syncFile(from); err != nil {
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

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
