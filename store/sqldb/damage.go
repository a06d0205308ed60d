package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Health is what is known of the database's file.
type Health struct {
	Damage  string    // what is damaged, in words; "" where nothing is known to be
	Checked time.Time // when all of it was read last; zero: not since it was opened
}

// health is a Health that many look at. Damage that was met stays: nothing mends a file while it is in use.
type health struct {
	mu  sync.Mutex
	now Health
}

func (h *health) get() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// note keeps the first damage.
func (h *health) note(damage string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now.Damage = cmp.Or(h.now.Damage, damage)
}

func (h *health) checked(damage string) Health {
	h.note(damage)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now.Checked = time.Now()
	return h.now
}

// Health returns what is known of the database's file; ErrNotFound where it is on a server, which
// looks after its own files.
func (db *DB) Health() (Health, error) {
	if db.engine.server != nil {
		return Health{}, ErrNotFound
	}
	return db.health.get(), nil
}

// NoteDamage keeps for Health that somebody met an ErrDamaged.
func (db *DB) NoteDamage(err error) { db.health.note(err.Error()) }

// Check reads all of the database's file, and returns what is known of it then. It is a heavy read,
// which ends with ctx; ErrNotFound where the database is on a server.
func (db *DB) Check(ctx context.Context) (Health, error) {
	if db.engine.server != nil {
		return Health{}, ErrNotFound
	}
	done, err := db.heavy.acquire(ctx)
	if err != nil {
		return Health{}, Wrap("checking the database", err)
	}
	defer done()
	damage, err := db.findDamage(ctx)
	if err != nil {
		return Health{}, Wrap("checking the database", err)
	}
	return db.health.checked(damage), nil
}

// findDamage looks by a connection of its own: the others have pages in memory that may be whole.
func (db *DB) findDamage(ctx context.Context) (string, error) {
	fresh, err := db.engine.files.open("query_only(1)")
	if err != nil {
		return "", err
	}
	defer fresh.Close()
	return findDamage(ctx, fresh, `quick_check`)
}

// Undamaged returns ErrDamaged where the database is known to be damaged.
func (db *DB) Undamaged() error {
	if damage := db.health.get().Damage; damage != "" {
		return fmt.Errorf("%w: %s", ErrDamaged, damage)
	}
	return nil
}

// StoppedUncleanly tells whether whoever had the database open last left its log behind: it was
// killed, or its machine stopped.
func (db *DB) StoppedUncleanly() bool { return db.engine.unclean }

func leftLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}

// CheckFile reads all of an SQLite file, indexes against their tables too, and returns what is
// damaged in words, "" for nothing. It may be in use. Its error is that it could not be read.
func CheckFile(ctx context.Context, path string) (damage string, err error) {
	// Who opens a file to read only does not learn the conditions of its columns. Who opens it to write folds the
	// log into it when closing it last, so here the one who reads only is the last.
	last, err := sql.Open("sqlite", ReadOnlyDSN(path, "query_only(1)"))
	if err != nil {
		return "", err
	}
	defer last.Close()
	if _, err := tableNames(ctx, last); err != nil {
		return damageOr(err)
	}
	db, err := sql.Open("sqlite", DSN(path, "query_only(1)"))
	if err != nil {
		return "", err
	}
	defer db.Close()
	return findDamage(ctx, db, `integrity_check`)
}

// damageOr returns an error as damage where it is that.
func damageOr(err error) (damage string, other error) {
	if errors.Is(Wrap("", err), ErrDamaged) {
		return err.Error(), nil
	}
	return "", Wrap("reading the database", err)
}

// findDamage asks a pragma for all of the file and, where it finds something, for each table, to name those.
func findDamage(ctx context.Context, db *sql.DB, pragma string) (string, error) {
	first, err := askPragma(ctx, db, pragma+`(1)`)
	if err != nil || first == "" {
		return first, err
	}
	names, err := tableNames(ctx, db)
	if err != nil {
		return first, nil // not even those can be read
	}
	var damaged []string
	for _, name := range names {
		found, err := askPragma(ctx, db, pragma+`('`+name+`')`)
		if err != nil {
			return "", err
		}
		if found != "" {
			damaged = append(damaged, name)
		}
	}
	if len(damaged) == 0 {
		return first, nil
	}
	return strings.Join(damaged, ", ") + ": " + first, nil
}

// askPragma returns what a check of SQLite finds first, in one line; "" for nothing. That it can
// not read on is a finding too.
func askPragma(ctx context.Context, db *sql.DB, pragma string) (found string, err error) {
	err = db.QueryRowContext(ctx, `PRAGMA `+pragma).Scan(&found)
	switch {
	case err != nil:
		return damageOr(err)
	case found == "ok":
		return "", nil
	}
	return strings.Join(strings.Fields(found), " "), nil
}

// tableNames lists the tables whose names need no quotes, as all of ours.
func tableNames(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '*[^a-z_]*' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return Collect(rows, func(rows *sql.Rows) (name string, err error) {
		err = rows.Scan(&name)
		return name, err
	})
}
