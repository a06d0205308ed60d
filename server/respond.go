package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"rollcall/store"
)

// handler answers a request with a pointer to a struct that embeds success, or
// a reply around one, or a download, or an error that explain knows.
type handler func(r *http.Request) (any, error)

// success is in every answer that is not an error.
type success struct {
	Success   bool   `json:"success"`
	Timestamp string `json:"timestamp"`
}

func (s *success) stamp(now time.Time) { s.Success, s.Timestamp = true, timestamp(now) }

// failure is every answer that is an error.
type failure struct {
	Success   bool            `json:"success"`
	Error     string          `json:"error"`
	Code      string          `json:"code"`
	EndReason store.EndReason `json:"end_reason,omitempty"`
	Sessions  []listedSession `json:"sessions,omitempty"` // that are in the way
	Timestamp string          `json:"timestamp"`
}

// reply is an answer with another status than 200, or with cookies.
type reply struct {
	status  int
	cookies []*http.Cookie
	body    any
}

// problem is an error that is known only to HTTP.
type problem struct {
	status int
	code   string
	words  string
}

func (p problem) Error() string { return p.words }

func invalid(words string) error { return problem{http.StatusBadRequest, "invalid_request", words} }

// tooMany is a problem that goes away by waiting.
type tooMany struct {
	problem
	wait time.Duration
}

// adapt turns a route into an http.Handler: the one place that checks who is
// calling and writes what comes back.
func (s *Server) adapt(route route) http.Handler {
	results := s.meters.results[route.method+" "+route.path]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, err := s.admit(r, route.who)
		var answer any
		if err == nil {
			if route.takes > 0 {
				_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(route.takes)) // the network's time, not the rules'
			}
			answer, err = route.answer(r)
		}
		if results != nil {
			results.count(err)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.succeed(w, answer)
	})
}

func (s *Server) succeed(w http.ResponseWriter, answer any) {
	if file, ok := answer.(download); ok {
		s.send(w, file)
		return
	}
	full, ok := answer.(reply)
	if !ok {
		full = reply{status: http.StatusOK, body: answer}
	}
	for _, cookie := range full.cookies {
		http.SetCookie(w, cookie)
	}
	full.body.(interface{ stamp(time.Time) }).stamp(s.now())
	s.writeJSON(w, full.status, full.body)
}

// fail answers with an error. What only the operator may know goes to the log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := explain(err)
	s.meters.refusals.problem(p)
	kept := errors.Is(err, store.ErrDraining) // on purpose: no failure
	if p.status >= http.StatusInternalServerError && !kept && !s.outage.observe(err) {
		s.log.Error().Err(err).Str("method", r.Method).Str("code", p.code).Msg("request failed")
	}
	h := w.Header()
	switch wait := (tooMany{}); {
	case errors.As(err, &wait):
		h.Set("Retry-After", strconv.Itoa(int(wait.wait/time.Second)+1))
	case kept:
		h.Set("Retry-After", "60")
	case p.status == http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	case p.status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	}
	body := failure{Error: p.words, Code: p.code, Timestamp: timestamp(s.now())}
	var ended *store.EndedError
	if errors.As(err, &ended) {
		body.EndReason = ended.Reason
	}
	var crowd sessionLimitError
	if errors.As(err, &crowd) {
		body.Sessions = crowd.sessions
	}
	s.writeJSON(w, p.status, body)
}

// explain is the one table from errors to answers.
func explain(err error) problem {
	var p problem
	var wait tooMany
	var crowd sessionLimitError
	var bad *store.InvalidError
	var draining *store.DrainingError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &wait):
		return wait.problem
	case errors.As(err, &crowd):
		return crowd.problem
	case errors.As(err, &bad):
		return problem{http.StatusBadRequest, "invalid_request", bad.Problem}
	case errors.As(err, &draining):
		return problem{http.StatusServiceUnavailable, "draining", draining.Message}
	case errors.Is(err, store.ErrSessionEnded):
		return problem{http.StatusNotFound, "session_ended", "Session not found or expired"}
	case errors.Is(err, store.ErrNotFound):
		return problem{http.StatusNotFound, "not_found", "No such entry"}
	case errors.Is(err, store.ErrForbidden):
		return problem{http.StatusForbidden, "forbidden", "This credential may not do that to this user"}
	case errors.Is(err, store.ErrTokenTaken):
		return problem{http.StatusConflict, "token_taken", "This session token is in use elsewhere or has ended"}
	case errors.Is(err, store.ErrNameTaken):
		return problem{http.StatusConflict, "name_taken", "There is an account of this name"}
	case errors.Is(err, store.ErrTooManyNotices):
		return problem{http.StatusConflict, "too_many_notices", "As many notices are shown as may be at once; withdraw one first"}
	case errors.Is(err, store.ErrLastAdmin):
		return problem{http.StatusConflict, "last_admin", "The last admin account can not be deleted"}
	case errors.Is(err, store.ErrAlreadySetUp):
		return problem{http.StatusConflict, "already_set_up", "The first account exists already"}
	case errors.Is(err, store.ErrWrongPassword):
		return problem{http.StatusUnauthorized, "invalid_credentials", "Unknown name or wrong password"}
	case errors.Is(err, store.ErrFull):
		return problem{http.StatusServiceUnavailable, "storage_full", "The server's disk is full; nothing was stored"}
	case errors.Is(err, store.ErrUnavailable):
		return problem{http.StatusServiceUnavailable, "unavailable", "The database can not be reached right now; try again"}
	case errors.Is(err, store.ErrBusy), errors.Is(err, store.ErrBroken):
		return problem{http.StatusServiceUnavailable, "unavailable", "The server can not store anything right now; try again"}
	}
	return problem{http.StatusInternalServerError, "internal", "Something went wrong; the server's log has the details"}
}

// always answers every request with the same problem.
func (s *Server) always(p problem) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, p) })
}

func (s *Server) writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		s.log.Error().Err(err).Msg("writing an answer")
		status, text = http.StatusInternalServerError, []byte(`{"success":false,"error":"Something went wrong","code":"internal"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // a caller that is gone needs no answer
}

// timestamp is how every time is written: RFC 3339, UTC, milliseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
