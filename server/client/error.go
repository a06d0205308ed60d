package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rollcall/server/api"
	"rollcall/store/presence"
)

// Error is an answer of the server that is not a success.
type Error struct {
	Status     int                // the HTTP status
	Code       string             // the API's code, "" where something else than Rollcall answered
	Message    string             // the server's words
	EndReason  presence.EndReason // why the session ended, where the server knows
	RetryAfter time.Duration      // how long the server asks to wait, 0 if it does not

	Sessions []api.ListedSession // in the way of a login, with the code session_limit
}

// Error says the server's words, and the status where these alone would not tell.
func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("%s (%d)", e.Message, e.Status)
}

// Is lets errors.Is compare by code: errors.Is(err, &client.Error{Code: "session_ended"}).
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code != "" && other.Code == e.Code
}

// answerError reads a failure. Text that is not the API's own (a proxy's page, say) is not repeated.
func answerError(res *http.Response, raw []byte) *Error {
	failure := &Error{Status: res.StatusCode, RetryAfter: retryAfter(res.Header.Get("Retry-After"))}
	var body api.Failure
	if json.Unmarshal(raw, &body) == nil {
		failure.Code, failure.Message, failure.EndReason, failure.Sessions = body.Code, body.Error, body.EndReason, body.Sessions
	}
	return failure
}

// retryAfter reads the header's seconds. The form with a date is not used by Rollcall, and reading
// it would need the two clocks to agree.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(strings.TrimSpace(header))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds), 24*60*60) * time.Second
}
