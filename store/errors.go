package store

import (
	"errors"
	"time"

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

	// ErrTooManyOnline: so many people are online that they can not be told apart one by one.
	ErrTooManyOnline = errors.New("too many people online")

	// ErrNameTaken: another account has this name.
	ErrNameTaken = errors.New("name taken")

	// ErrLastAdmin: without this account nobody could administer the panel.
	ErrLastAdmin = errors.New("last admin account")

	// ErrAlreadySetUp: the first account exists.
	ErrAlreadySetUp = errors.New("already set up")

	// ErrWrongPassword: unknown name or wrong password; it does not say which.
	ErrWrongPassword = errors.New("wrong name or password")

	// ErrLinkGone: the link by which a password can be chosen was used, has expired, was
	// withdrawn or never existed; it does not say which.
	ErrLinkGone = errors.New("link gone")

	// ErrCodeNeeded: the password is right, and the account has an authenticator app.
	ErrCodeNeeded = errors.New("code needed")

	// ErrWrongCode: neither a code of the account's authenticator app that is new, nor
	// one of its recovery codes.
	ErrWrongCode = errors.New("wrong code")

	// ErrCodesBlocked: too many wrong codes came for this account. Always comes as a
	// [CodesBlockedError], which knows for how long.
	ErrCodesBlocked = errors.New("codes blocked")

	// ErrHasTOTP: the account has an authenticator app already.
	ErrHasTOTP = errors.New("has an authenticator app")

	// ErrNoTOTP: the account has no authenticator app, or has not begun to add one of late.
	ErrNoTOTP = errors.New("no authenticator app")

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

// CodesBlockedError is ErrCodesBlocked with the time until codes count again.
type CodesBlockedError struct {
	Wait time.Duration
}

func (e *CodesBlockedError) Error() string { return "codes blocked for " + e.Wait.String() }

// Is makes a CodesBlockedError an ErrCodesBlocked.
func (e *CodesBlockedError) Is(target error) bool { return target == ErrCodesBlocked }

// DrainingError is ErrDraining with the words for those who are kept out.
type DrainingError struct {
	Message string
}

func (e *DrainingError) Error() string { return "draining: " + e.Message }

// Is makes a DrainingError an ErrDraining.
func (e *DrainingError) Is(target error) bool { return target == ErrDraining }
