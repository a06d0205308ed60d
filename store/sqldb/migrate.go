package sqldb

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rollcall/store/auditchain"
	"rollcall/store/fold"
)

// steps are SQL that upgrades every older schema of SQLite: steps[i] leads from version i+1 to i+2. A
// change of schema.sql adds its step here.
var steps = []string{livePresence, endNotes, historyAndNotices, appAndAddress, foldedColumns("") + upgrade6SQLite + upgrade6, upgrade7People("", " STRICT, WITHOUT ROWID") + upgrade7SQLite + upgrade7}

//go:embed upgrade2.sql
var livePresence string

//go:embed upgrade3.sql
var endNotes string

//go:embed upgrade4.sql
var historyAndNotices string

//go:embed upgrade5.sql
var appAndAddress string

// foldedColumns are columns for texts that are compared and sorted in Go's way: byte by byte, which is how a
// database does it with a collation.
func foldedColumns(collation string) (statements string) {
	for _, column := range []string{"users ADD COLUMN folded", "users ADD COLUMN role_folded", "organizations ADD COLUMN folded"} {
		statements += "ALTER TABLE " + column + " TEXT" + collation + " NOT NULL DEFAULT '';\n"
	}
	return statements
}

//go:embed upgrade6.sql
var upgrade6 string

//go:embed upgrade6_sqlite.sql
var upgrade6SQLite string

// upgrade7People puts everybody into a directory.
func upgrade7People(collation, options string) string {
	text := "TEXT" + collation
	return "CREATE TABLE apps (name " + text + " PRIMARY KEY CHECK (name <> ''), directory " + text + " NOT NULL CHECK (directory <> ''))" + options + ";\n" +
		peopleOfApps + movePeople + movePeople // the second time whose place another had
}

//go:embed upgrade7_people.sql
var peopleOfApps string

//go:embed upgrade7_move.sql
var movePeople string

//go:embed upgrade7.sql
var upgrade7 string

//go:embed upgrade7_sqlite.sql
var upgrade7SQLite string

// foldedSince is the version from which on texts are kept in the form by which they are compared.
const foldedSince = 6

// chainedSince is the version from which on the audit log is a chain of hashes.
const chainedSince = 7

// SchemaVersion is the version of schema.sql, and of postgres.sql.
func SchemaVersion() int { return len(steps) + 1 }

// Older is what becomes of a database whose schema is that of an older version.
type Older int

// What becomes of it.
const (
	RefuseOlder    Older = iota // ErrOlderSchema: a server of that version may be at work on it
	UpgradeAndKeep              // it is upgraded, with a copy beside the file; see [DB.KeptCopy]
	UpgradeWithout              // it is upgraded without one
)

// prepareOlder refuses an older database, or makes a copy of it, as cfg asks.
func (e *engine) prepareOlder(ctx context.Context, conn *sql.Conn, older Older) (kept string, err error) {
	newest := e.newest()
	version, err := schemaVersion(ctx, conn, e.tables)
	switch {
	case err != nil || version == 0 || version >= newest:
		return "", Wrap("looking into the database", err)
	case older == RefuseOlder:
		return "", fmt.Errorf("%w: its schema is version %d, this program's is %d", ErrOlderSchema, version, newest)
	case older == UpgradeAndKeep && e.files != nil:
		return e.files.keepCopy(ctx, conn, version)
	}
	return "", nil
}

// migrate creates the schema in an empty database or runs the missing steps on
// an older one, in one transaction: all of it happens or nothing does. Where another replica
// has made the tables meanwhile, they are looked at.
func migrate(ctx context.Context, conn *sql.Conn, e *engine) error {
	upgrade := func() error { return inTx(ctx, conn, e.upgrade, func() error { return e.upgradeSchema(ctx, conn) }) }
	err := upgrade()
	if err != nil && e.madeByOther != nil && e.madeByOther(err) {
		err = upgrade()
	}
	return Wrap("upgrading the database", err)
}

// inTx runs f in a transaction that the statements begin open.
func inTx(ctx context.Context, conn *sql.Conn, begin []string, f func() error) error {
	err := run(ctx, conn, begin)
	if err == nil {
		err = f()
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, `COMMIT`)
	}
	if err != nil {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
	}
	return err
}

// newest is the version of this program's schema.
func (e *engine) newest() int { return e.oldest + len(e.steps) }

func (e *engine) upgradeSchema(ctx context.Context, conn *sql.Conn) error {
	newest := e.newest()
	version, err := schemaVersion(ctx, conn, e.tables)
	if err == nil && version > 0 && e.lockSchema != "" {
		if _, err = conn.ExecContext(ctx, e.lockSchema); err == nil { // another may have upgraded it before
			version, err = schemaVersion(ctx, conn, e.tables)
		}
	}
	if err == nil {
		err = checkVersion(version, newest)
	}
	var steps []string
	switch {
	case err != nil:
		return err
	case version == newest:
		return e.checkSchema(ctx, conn)
	case version == 0:
		steps = []string{e.schema}
	default:
		steps = e.steps[version-e.oldest:]
	}
	if err := run(ctx, conn, steps); err != nil {
		return err
	}
	if version > 0 && version < foldedSince && newest >= foldedSince {
		if err := foldRows(ctx, conn); err != nil {
			return err
		}
	}
	if version > 0 && version < chainedSince && newest >= chainedSince {
		if err := chainAudit(ctx, conn); err != nil {
			return err
		}
	}
	if _, err = conn.ExecContext(ctx, saveSetting, "schema_version", newest); err != nil {
		return err
	}
	return e.checkSchema(ctx, conn)
}

func (e *engine) checkSchema(ctx context.Context, conn *sql.Conn) error {
	if e.check == nil {
		return nil
	}
	return e.check(ctx, conn)
}

// holdsData returns ErrNoData for an empty database.
func (e *engine) holdsData(ctx context.Context, conn *sql.Conn) error {
	version, err := schemaVersion(ctx, conn, e.tables)
	if err == nil && version == 0 {
		err = ErrNoData
	}
	return Wrap("looking into the database", err)
}

func run(ctx context.Context, conn *sql.Conn, statements []string) error {
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// checkVersion refuses a schema of which nobody here knows what it means.
func checkVersion(version, newest int) error {
	if version > newest {
		return fmt.Errorf("%w: its schema is version %d, this program knows %d", ErrNewerSchema, version, newest)
	}
	return nil
}

// schemaVersion returns 0 for an empty database, in which the query tables
// counts none.
func schemaVersion(ctx context.Context, conn *sql.Conn, tables string) (int, error) {
	var count, version int
	err := conn.QueryRowContext(ctx, tables).Scan(&count)
	if err != nil || count == 0 {
		return 0, err
	}
	err = conn.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'schema_version'`).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("this is not a database of rollcall: %w", err)
	}
	return version, nil
}

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
		err = errors.Join(os.Chmod(unfinished, 0o600), SyncFile(unfinished))
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

// SyncFile returns once a file is on the disk, so that a power cut leaves it whole.
func SyncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// RemoveKeptCopies removes the copies that upgrades of the database in a folder have kept. There are
// none where the folder is gone.
func RemoveKeptCopies(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), FileName+beforeUpgrade) {
			err = errors.Join(err, os.Remove(filepath.Join(folder, entry.Name())))
		}
	}
	return err
}

// foldRows fills in the folded forms of a database from before these were kept.
func foldRows(ctx context.Context, conn *sql.Conn) error {
	users, err := TextRows(ctx, conn, 5, `SELECT name, email, id, role, team_name FROM users`)
	if err != nil {
		return err
	}
	for _, u := range users {
		id := u[2]
		if _, own, inDirectory := strings.Cut(id, "/"); inDirectory {
			id = own
		}
		_, err := conn.ExecContext(ctx, `UPDATE users SET folded = $1, role_folded = $2 WHERE id = $3`, fold.User(u[0], u[1], id, u[3], u[4]), fold.Text(u[3]), u[2])
		if err != nil {
			return err
		}
	}
	organizations, err := TextRows(ctx, conn, 1, `SELECT name FROM organizations`)
	if err != nil {
		return err
	}
	for _, o := range organizations {
		if _, err := conn.ExecContext(ctx, `UPDATE organizations SET folded = $1 WHERE name = $2`, fold.Text(o[0]), o[0]); err != nil {
			return err
		}
	}
	return nil
}

// TextRows reads rows of so many texts. Its errors are the driver's.
func TextRows(ctx context.Context, conn *sql.Conn, columns int, query string) (all [][]string, err error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return Collect(rows, func(rows *sql.Rows) ([]string, error) {
		row, dest := make([]string, columns), make([]any, columns)
		for i := range row {
			dest[i] = &row[i]
		}
		return row, rows.Scan(dest...)
	})
}

// chainAudit chains the entries of an audit log from before these were. That earlier ones are gone, an entry says.
func chainAudit(ctx context.Context, conn *sql.Conn) error {
	rows, err := conn.QueryContext(ctx, `SELECT id, at, action, actor, target, detail, words FROM audit ORDER BY id`)
	if err != nil {
		return err
	}
	entries, err := Collect(rows, func(rows *sql.Rows) (e auditchain.Entry, err error) {
		return e, rows.Scan(&e.ID, &e.At, &e.Action, &e.Actor, &e.Target, &e.Detail, &e.Words)
	})
	if err != nil || len(entries) == 0 {
		return err
	}
	last := entries[len(entries)-1]
	begun := auditchain.Entry{ID: last.ID + 1, At: last.At, Action: auditchain.Begun, Actor: "system", Detail: fmt.Sprintf("from entry %d", entries[0].ID)}
	if _, err := conn.ExecContext(ctx, `INSERT INTO audit (id, at, actor, action, detail) VALUES ($1, $2, $3, $4, $5)`,
		begun.ID, begun.At, begun.Actor, begun.Action, begun.Detail); err != nil {
		return err
	}
	var before []byte
	for _, e := range append(entries, begun) {
		l := auditchain.Seal(before, e)
		_, err := conn.ExecContext(ctx, `UPDATE audit SET salt = $2, content_sha256 = $3, chain_sha256 = $4 WHERE id = $1`, e.ID, l.Salt, l.Content, l.Chain)
		if err != nil {
			return err
		}
		before = l.Chain
	}
	return nil
}
