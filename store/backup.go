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
// complete, verified and on disk. An existing file is never replaced.
func (s *Store) Backup(ctx context.Context, file string) error {
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("backing up: %s: %w", file, os.ErrExist)
	}
	folder, err := os.MkdirTemp(filepath.Dir(file), ".rollcall-backup-")
	if err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	defer os.RemoveAll(folder)
	copied := filepath.Join(folder, FileName)
	if err := s.copyTo(ctx, copied); err != nil {
		return fail("backing up", err)
	}
	if err := verify(ctx, copied); err != nil {
		return fail("verifying the backup", err)
	}
	if err := publish(copied, file); err != nil {
		return fmt.Errorf("storing the backup: %w", err)
	}
	return nil
}

func (s *Store) copyTo(ctx context.Context, file string) error {
	// A connection of its own: VACUUM INTO is refused where queries only are allowed.
	db, err := sql.Open("sqlite", dsn(s.path))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, file)
	return err
}

// verify reads the whole copy.
func verify(ctx context.Context, file string) error {
	db, err := sql.Open("sqlite", dsn(file, "query_only(1)"))
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("the copy is damaged: %s", verdict)
	}
	var version int
	return db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'schema_version'`).Scan(&version)
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
	if err := os.Link(from, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
