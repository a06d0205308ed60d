package store

import (
	"errors"

	"rollcall/store/presence"
)

var (
	// ErrNotFound: no row has this id, name or token.
	ErrNotFound = errors.New("not found")

	// ErrSessionEnded: the session is unknown, ended or expired. Where the row
	// still exists it comes as an [EndedError], which knows the reason.
	ErrSessionEnded = errors.New("session ended")

	// ErrTokenTaken: the reported session token belongs to another user or
	// application, or to a session that has ended and must not come back.
	ErrTokenTaken = errors.New("session token already used")

	// ErrSessionLimit: the user has as many sessions in this application as
	// may be, and no older one is to make room.
	ErrSessionLimit = errors.New("too many sessions")

	// ErrForbidden: the caller may not do this to this user, such as granting
	// more access than it holds itself.
	ErrForbidden = errors.New("forbidden")

	// ErrInvalid: a value breaks a rule of the store. Always comes as an
	// [InvalidError], whose text may be shown to the caller.
	ErrInvalid = errors.New("invalid value")

	// ErrTooLate: what was asked for has been removed from the log of changes.
	ErrTooLate = errors.New("too late")

	// ErrNameTaken: another account has this name.
	ErrNameTaken = errors.New("name taken")

	// ErrLastAdmin: without this account nobody could administer the panel.
	ErrLastAdmin = errors.New("last admin account")

	// ErrAlreadySetUp: the first account exists.
	ErrAlreadySetUp = errors.New("already set up")

	// ErrWrongPassword: unknown name or wrong password; it does not say which.
	ErrWrongPassword = errors.New("wrong name or password")

	// ErrTooManyNotices: as many notices are shown as may be at once.
	ErrTooManyNotices = errors.New("too many notices")

	// ErrDraining: nobody may log in for now. Always comes as a [DrainingError],
	// which knows what to tell them.
	ErrDraining = errors.New("draining")

	// ErrFull: the disk is full. Nothing was written; later writes may succeed.
	ErrFull = errors.New("disk full")

	// ErrBusy: another process held the database for too long, or the caller
	// gave up waiting. Nothing was written.
	ErrBusy = errors.New("database busy")

	// ErrBroken: the disk failed while writing. What is on it is unknown until
	// the database is opened again, so this store accepts no further write.
	ErrBroken = errors.New("storage failed")

	// ErrUnavailable: the database's server is out of reach or went away. What was
	// about to be written is there or not, as a whole; doing it again is safe
	// where the caller names what it is about, such as a session's token.
	ErrUnavailable = errors.New("database unavailable")

	// ErrNoPostgres: this program was built without PostgreSQL.
	ErrNoPostgres = errors.New("this rollcall was built without PostgreSQL; build it with: CGO_ENABLED=0 go build -tags postgres")

	// ErrNoData: the database is empty, and was to be one that is in use.
	ErrNoData = errors.New("no data")

	// ErrNoBackup: the database's server has means of its own for that.
	ErrNoBackup = errors.New("a database on a PostgreSQL server is backed up by its own means, such as pg_dump")

	// ErrNewerSchema: a later version of the program wrote this database.
	ErrNewerSchema = errors.New("database is from a newer version of rollcall")
)

// EndedError is ErrSessionEnded with the reason why.
type EndedError struct {
	Reason presence.EndReason
}

func (e *EndedError) Error() string { return "session ended: " + string(e.Reason) }

// Is makes an EndedError an ErrSessionEnded.
func (e *EndedError) Is(target error) bool { return target == ErrSessionEnded }

// DrainingError is ErrDraining with the words for those who are kept out.
type DrainingError struct {
	Message string
}

func (e *DrainingError) Error() string { return "draining: " + e.Message }

// Is makes a DrainingError an ErrDraining.
func (e *DrainingError) Is(target error) bool { return target == ErrDraining }

// InvalidError is ErrInvalid with words for the caller.
type InvalidError struct {
	Problem string
}

func (e *InvalidError) Error() string { return e.Problem }

// Is makes an InvalidError an ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

func invalid(problem string) error { return &InvalidError{Problem: problem} }
