package store

import (
	"errors"

	"rollcall/store/presence"
)

var (
	// ErrSessionEnded: the session is unknown, ended or expired. Where the row
	// still exists it comes as an [EndedError], which knows the reason.
	ErrSessionEnded = errors.New("session ended")

	// ErrTokenTaken: the reported session token belongs to another application.
	ErrTokenTaken = errors.New("session token already used")

	// ErrSessionLimit: the user has as many sessions in this application as
	// may be, and none is to make room.
	ErrSessionLimit = errors.New("too many sessions")

	// ErrForbidden: the caller may not do this to this user, such as granting
	// more access than it holds itself.
	ErrForbidden = errors.New("forbidden")

	// ErrAmbiguousUser: several users have this id. Always comes as an
	// [AmbiguousUserError], which knows their directories.
	ErrAmbiguousUser = errors.New("ambiguous user")

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

	// ErrHashingCrowded: as many passwords are being checked as may be at once.
	ErrHashingCrowded = errors.New("too many passwords at once")

	// ErrTooManyNotices: as many notices are shown as may be at once.
	ErrTooManyNotices = errors.New("too many notices")

	// ErrDraining: nobody is to log in for now. Always comes as a [DrainingError],
	// which knows what to tell them.
	ErrDraining = errors.New("draining")
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
