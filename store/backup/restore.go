package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Restoration says what is restored to where.
type Restoration struct {
	File        string // backup, or any database of rollcall
	Folder      string // data folder; it exists, and its lock is the caller's
	Schema      string // text of schema.sql
	EndSessions bool   // whoever was logged in at the time of the backup is not
}

// Restored is what became of it.
type Restored struct {
	Before string // where the database is now that was in the folder before; "" without one
	Ended  int64  // sessions
}

// Restore makes a backup the database of a data folder, upgraded where it is
// older. Whatever interrupts it, the folder has the old database or the new one.
// The old one is kept beside it. Restored by root, it belongs to the old one's
// owner, or else the folder's. A backup that is damaged, not of rollcall or of a
// newer version (ErrNewerSchema) is refused, and so is a folder whose database
// any program has open (ErrBusy). The backup itself is not changed.
func Restore(ctx context.Context, now time.Time, r Restoration) (Restored, error) {
	if err := r.check(ctx); err != nil {
		return Restored{}, err
	}
	Sweep(r.Folder)
	work, remove, err := workFolder(r.Folder, restoring)
	if err != nil {
		return Restored{}, fmt.Errorf("restoring: %w", err)
	}
	defer remove()
	var done Restored
	if done.Ended, err = r.prepare(ctx, now, work); err != nil {
		return Restored{}, fmt.Errorf("preparing the backup: %w", err)
	}
	done.Before, err = replace(ctx, now, filepath.Join(r.Folder, sqldb.FileName), filepath.Join(work, sqldb.FileName))
	return done, err
}

// replace puts a finished database in the place of the one at path, and returns
// where that is then.
func replace(ctx context.Context, now time.Time, path, by string) (aside string, err error) {
	old, err := lockOffline(ctx, path)
	if err != nil {
		return "", sqldb.Wrap("taking the database that is there now", err)
	}
	defer old.release()
	if aside, err = setAside(path, now); err != nil {
		return "", fmt.Errorf("keeping the database that is there now: %w", err)
	}
	if !old.locked || !canRenameOpen {
		old.release() // while what it may clean up is not the new one's
	}
	if err := os.Rename(by, path); err != nil {
		return "", fmt.Errorf("putting the backup in its place: %w", err)
	}
	return aside, syncDir(filepath.Dir(path))
}

// check refuses what can not be restored, before anything is touched.
func (r Restoration) check(ctx context.Context) error {
	given, err := os.Stat(r.File)
	if err == nil && !given.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", r.File)
	}
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	if there, err := os.Stat(filepath.Join(r.Folder, sqldb.FileName)); err == nil && os.SameFile(given, there) {
		return fmt.Errorf("%s is the database itself", r.File)
	}
	if err := sqldb.VerifyFile(ctx, r.File); err != nil {
		return fmt.Errorf("checking %s: %w", r.File, err)
	}
	return nil
}

// offlineLock is a database that is about to be replaced.
type offlineLock struct {
	db     *sql.DB // nil where there is none
	locked bool    // nobody else can open it
}

// lockOffline folds the log of the database at path into it and locks everybody out.
// ErrBusy where another program has it open. A file that is no database, or a
// damaged one, is nobody's: it may be why there is a restore.
func lockOffline(ctx context.Context, path string) (offlineLock, error) {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return offlineLock{}, nil
	}
	db, err := sql.Open("sqlite", sqldb.DSN(path, "busy_timeout(1000)"))
	if err != nil {
		return offlineLock{}, err
	}
	db.SetMaxOpenConns(1) // which has the lock
	err = sqldb.Wrap("locking the database", foldAndLock(ctx, db))
	if err != nil && !errors.Is(err, sqldb.ErrBroken) {
		return offlineLock{}, errors.Join(err, db.Close())
	}
	return offlineLock{db: db, locked: err == nil}, nil
}

func (s offlineLock) release() {
	if s.db != nil {
		s.db.Close()
	}
}

func foldAndLock(ctx context.Context, db *sql.DB) error {
	for _, step := range []string{`PRAGMA journal_mode = DELETE`, `BEGIN EXCLUSIVE`} {
		if _, err := db.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	var mode string
	err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode)
	if err == nil && mode != "delete" { // somebody was quick between these two
		err = sqldb.ErrBusy
	}
	return err
}

// prepare makes the new database in the folder work, finished and on the disk.
func (r Restoration) prepare(ctx context.Context, now time.Time, work string) (ended int64, err error) {
	file := filepath.Join(work, sqldb.FileName)
	if err := r.rebuild(ctx, filepath.Join(work, "given"), work); err != nil {
		return 0, err
	}
	s, err := store.Open(ctx, store.Config{Path: work, Schema: r.Schema})
	if err != nil {
		return 0, err
	}
	if ended, err = begin(ctx, s, now, r.EndSessions); err != nil {
		return 0, errors.Join(err, s.Close())
	}
	if err := s.Close(); err != nil {
		return 0, err
	}
	if _, err := os.Lstat(file + "-wal"); !errors.Is(err, os.ErrNotExist) {
		return 0, errors.New("its log could not be folded in")
	}
	if err := sqldb.VerifyFile(ctx, file); err != nil {
		return 0, err
	}
	if err := CopyOwner(file, filepath.Join(r.Folder, sqldb.FileName), r.Folder); err != nil {
		return 0, err
	}
	return ended, sqldb.SyncFile(file)
}

// rebuild makes the database of a folder with what the tables of the backup hold: all that it does by itself is this
// program's. The backup is copied to the folder given, upgraded there where it is older, and removed.
func (r Restoration) rebuild(ctx context.Context, given, folder string) error {
	if err := os.Mkdir(given, 0o700); err != nil {
		return err
	}
	copied := filepath.Join(given, sqldb.FileName)
	if err := copyDatabase(ctx, r.File, copied); err != nil {
		return err
	}
	db, err := sqldb.Open(ctx, sqldb.Config{Folder: given, Schema: r.Schema, Older: sqldb.UpgradeWithout})
	if err == nil {
		err = db.Close()
	}
	if err == nil {
		err = CopyRows(ctx, copied, folder, r.Schema)
	}
	return errors.Join(err, os.RemoveAll(given))
}

// begin notes that a restored database begins its second life.
func begin(ctx context.Context, s *store.Store, now time.Time, endSessions bool) (ended int64, err error) {
	if endSessions {
		for _, filter := range []store.SessionFilter{{}, {App: presence.PanelApp}} {
			n, err := s.RevokeAll(ctx, now, filter, store.Ending{Reason: presence.EndRevoked, By: store.ActorCLI, Note: "restored from a backup"})
			if ended += n; err != nil {
				return ended, err
			}
		}
	}
	return ended, s.Record(ctx, now, store.AuditEvent{Actor: store.ActorCLI, Action: "database.restore", Detail: fmt.Sprintf("%d sessions ended", ended)})
}

// setAside gives the database at path, which stays, a second name, and takes away
// what lies beside it: the log of a damaged database must not be taken for the
// new one's.
func setAside(path string, now time.Time) (aside string, err error) {
	first := path + ".before-restore-" + now.UTC().Format("20060102T150405Z")
	name := first
	err = os.Link(path, name)
	for n := 2; errors.Is(err, os.ErrExist); n++ { // of another restore in this second
		name = fmt.Sprint(first, "-", n)
		err = os.Link(path, name)
	}
	switch {
	case err == nil:
		aside = name
	case !errors.Is(err, os.ErrNotExist):
		return "", err
	}
	for _, beside := range []string{"-wal", "-journal"} {
		if err := os.Rename(path+beside, name+beside); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return aside, syncDir(filepath.Dir(path))
}
