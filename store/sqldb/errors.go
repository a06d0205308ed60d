package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

var (
	// ErrNotFound: no row has this id, name or token.
	ErrNotFound = errors.New("not found")

	// ErrInvalid: a value breaks a rule of what is kept. Always comes as an
	// [InvalidError], whose text may be shown to the caller.
	ErrInvalid = errors.New("invalid value")

	// ErrFull: the disk is full. Nothing was written; later writes may succeed.
	ErrFull = errors.New("disk full")

	// ErrBusy: another process held the database for too long, or the caller
	// gave up waiting. Nothing was written.
	ErrBusy = errors.New("database busy")

	// ErrCrowded: the caller asks so much that this question had no turn; see [WithCaller].
	ErrCrowded = errors.New("too many questions at once")

	// ErrBroken: the disk failed while writing. What is on it is unknown until
	// the database is opened again, so this DB accepts no further write.
	ErrBroken = errors.New("storage failed")

	// ErrDamaged: what is in the database's file makes no sense, or is no database. It is an
	// ErrBroken; the disk need not be at fault now.
	ErrDamaged = fmt.Errorf("%w: the database is damaged", ErrBroken)

	// ErrUnavailable: the database's server is out of reach or went away. What was
	// about to be written is there or not, as a whole; nobody knows. Doing it again is
	// safe where the caller names what it is about, such as a session's token.
	ErrUnavailable = errors.New("database unavailable")

	// ErrNoPostgres: this program was built without PostgreSQL.
	ErrNoPostgres = errors.New("this rollcall was built without PostgreSQL; build it with: CGO_ENABLED=0 go build -tags postgres")

	// ErrNoData: the database is empty, and was to be one that is in use.
	ErrNoData = errors.New("no data")

	// ErrOlderSchema: an earlier version of the program wrote this database, and
	// whoever opens it was not to upgrade it.
	ErrOlderSchema = errors.New("database is from an older version of rollcall")

	// ErrNewerSchema: a later version of the program wrote this database.
	ErrNewerSchema = errors.New("database is from a newer version of rollcall")
)

// MovedError is ErrBroken where a file of the database was moved, removed or replaced while it was
// in use: what is written from then on, nobody would find again.
type MovedError struct {
	Path string
}

func (e *MovedError) Error() string {
	return e.Path + " was moved, removed or replaced while it was in use"
}

// Is makes a MovedError an ErrBroken.
func (e *MovedError) Is(target error) bool { return target == ErrBroken }

// InvalidError is ErrInvalid with words for the caller.
type InvalidError struct {
	Problem string
}

func (e *InvalidError) Error() string { return e.Problem }

// Is makes an InvalidError an ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Invalid returns an InvalidError.
func Invalid(problem string) error { return &InvalidError{Problem: problem} }

// known are the errors that need no further look.
var known = []error{ErrNotFound, ErrInvalid, ErrFull, ErrBusy, ErrCrowded, ErrBroken, ErrUnavailable}

// Wrap says what was being done when err came. It is the only place that reads the
// database's own errors: it turns them into the errors of this package.
func Wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	for _, ours := range known {
		if errors.Is(err, ours) {
			return err
		}
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !unconnected(err):
		return fmt.Errorf("%s: %w: %w", doing, ErrBusy, err)
	}
	for _, kind := range []error{sqliteKind(err), postgresKind(err)} {
		if kind != nil {
			return fmt.Errorf("%s: %w: %w", doing, kind, err)
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
