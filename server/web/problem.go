// Package web is how requests are read and answers are written: bodies, query
// parameters, JSON, CSV, and the one table from errors to answers. It does not know who
// is calling, nor what any route is about.
package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Problem is an error as it is answered.
type Problem struct {
	Status     int
	Code       string // for programs
	Words      string // for people
	RetryAfter time.Duration
	EndReason  presence.EndReason  // of the session that is asked about
	Sessions   []api.ListedSession // that are in the way of a login

	NextHeartbeat time.Duration // when a page whose session has ended is to say that somebody works there
}

func (p *Problem) Error() string { return p.Words }

// retryAfter is when the same request may succeed, 0 for unknown.
func (p *Problem) retryAfter() time.Duration {
	if p.RetryAfter == 0 && p.Status == http.StatusServiceUnavailable {
		return 5 * time.Second
	}
	return p.RetryAfter
}

// Problems of every address.
var (
	NothingHere      = &Problem{Status: http.StatusNotFound, Code: "not_found", Words: "There is nothing here"}
	MethodNotAllowed = &Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Words: "This address does not take that method"}
)

// Invalid is a request that makes no sense, in words for whoever sent it.
func Invalid(words string) error {
	return &Problem{Status: http.StatusBadRequest, Code: "invalid_request", Words: words}
}

// table is how the store's errors are answered. Those with details are above it, in Explain.
var table = []struct {
	err error
	Problem
}{
	{store.ErrSessionEnded, Problem{Status: http.StatusNotFound, Code: "session_ended", Words: "Session not found or expired"}},
	{sqldb.ErrNotFound, Problem{Status: http.StatusNotFound, Code: "not_found", Words: "No such entry"}},
	{store.ErrForbidden, Problem{Status: http.StatusForbidden, Code: "forbidden", Words: "This credential may not do that to this user"}},
	{store.ErrTokenTaken, Problem{Status: http.StatusConflict, Code: "token_taken", Words: "This session token belongs to another application"}},
	{store.ErrNameTaken, Problem{Status: http.StatusConflict, Code: "name_taken", Words: "There is an account of this name"}},
	{store.ErrTooManyNotices, Problem{Status: http.StatusConflict, Code: "too_many_notices", Words: "As many notices are shown as may be at once; withdraw one first"}},
	{store.ErrLastAdmin, Problem{Status: http.StatusConflict, Code: "last_admin", Words: "The last admin account can not be deleted"}},
	{store.ErrAlreadySetUp, Problem{Status: http.StatusConflict, Code: "already_set_up", Words: "The first account exists already"}},
	{store.ErrWrongPassword, Problem{Status: http.StatusUnauthorized, Code: "invalid_credentials", Words: "Unknown name or wrong password"}},
	{store.ErrCodeNeeded, Problem{Status: http.StatusUnauthorized, Code: "code_needed", Words: "The password is right. A code of the authenticator app is needed, too, or a recovery code"}},
	{store.ErrWrongCode, Problem{Status: http.StatusUnauthorized, Code: "invalid_code", Words: "That is no code of the authenticator app that is new, and no unused recovery code"}},
	{store.ErrLinkGone, Problem{Status: http.StatusGone, Code: "link_gone", Words: "This link was used already, has expired or was withdrawn"}},
	{store.ErrHasTOTP, Problem{Status: http.StatusConflict, Code: "totp_exists", Words: "There is an authenticator app; remove it first"}},
	{store.ErrNoTOTP, Problem{Status: http.StatusConflict, Code: "no_totp", Words: "There is no authenticator app, or it was not confirmed in time; begin anew"}},
	{store.ErrHashingCrowded, Problem{Status: http.StatusTooManyRequests, Code: "too_many_attempts", RetryAfter: 2 * time.Second,
		Words: "Too many sign in at once; wait a moment"}},
	{sqldb.ErrCrowded, Problem{Status: http.StatusTooManyRequests, Code: "too_many_questions", RetryAfter: 2 * time.Second,
		Words: "This credential asks too much at once; one question that takes long is answered at a time"}},
	{sqldb.ErrFull, Problem{Status: http.StatusServiceUnavailable, Code: "storage_full", Words: "The server's disk is full; nothing was stored"}},
	{sqldb.ErrUnavailable, Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Words: "The database can not be reached right now; try again"}},
	{sqldb.ErrNewerSchema, Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Words: "A newer version of rollcall has upgraded the database; replace this server"}},
	{sqldb.ErrBusy, cannotStore},
	{sqldb.ErrDamaged, Problem{Status: http.StatusServiceUnavailable, Code: "storage_damaged",
		Words: "The server's database is damaged; rollcall doctor says what is, and rollcall restore puts a backup in its place"}},
	{sqldb.ErrBroken, cannotStore},
}

var cannotStore = Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Words: "The server can not store anything right now; try again"}

// Explain says how an error is answered.
func Explain(err error) *Problem {
	var known *Problem
	var bad *sqldb.InvalidError
	var draining *store.DrainingError
	var ended *store.EndedError
	var ambiguous *store.AmbiguousUserError
	var blocked *store.CodesBlockedError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &bad):
		return &Problem{Status: http.StatusBadRequest, Code: "invalid_request", Words: bad.Problem}
	case errors.As(err, &ambiguous):
		return &Problem{Status: http.StatusConflict, Code: "ambiguous_user",
			Words: "Several people have the id " + strconv.Quote(ambiguous.ID) + "; say in which directory: " + strings.Join(ambiguous.Directories, ", ")}
	case errors.As(err, &blocked):
		return &Problem{Status: http.StatusTooManyRequests, Code: "too_many_attempts", RetryAfter: blocked.Wait.Truncate(time.Second) + time.Second,
			Words: "Too many wrong codes; use a recovery code, or wait"}
	case errors.As(err, &draining):
		return &Problem{Status: http.StatusServiceUnavailable, Code: "draining", Words: draining.Message, RetryAfter: time.Minute}
	}
	for _, row := range table {
		if errors.Is(err, row.err) {
			p := row.Problem
			if errors.As(err, &ended) {
				p.EndReason = ended.Reason
			}
			return &p
		}
	}
	return &Problem{Status: http.StatusInternalServerError, Code: "internal", Words: "Something went wrong; the server's log has the details"}
}
