package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"rollcall/server/api"
	"rollcall/store"
)

// WriteTimeout is how long an answer may take to be sent; a download, each of its parts.
const WriteTimeout = 30 * time.Second

// Handler answers a request with one of the shapes of package api, or a Reply around
// one, or a Download, or an error that Explain knows.
type Handler func(r *http.Request) (any, error)

// Reply is an answer with another status than 200, or with cookies.
type Reply struct {
	Status   int
	Cookies  []*http.Cookie
	Body     any
	Complete bool // the body has its own envelope
}

// Download is an answer that is a file. It is written piece by piece: nobody holds all
// of it in memory.
type Download struct {
	Type, Name string
	Write      func(http.ResponseWriter) error
}

// FileName names a file by what is in it and when that was so.
func FileName(name string, now time.Time, extension string) string {
	return name + "-" + now.UTC().Format("20060102-150405") + "." + extension
}

// Responder writes answers. What only the operator may know goes to its log.
type Responder struct {
	Now      func() time.Time
	Log      zerolog.Logger
	Redact   func(text string) string // removes from a text what must not be logged
	Refused  func(code string)        // is told of every error that is answered
	Troubles *Troubles                // what is part of one is not logged by itself
}

// Succeed writes what a handler returned.
func (a *Responder) Succeed(w http.ResponseWriter, r *http.Request, answer any) {
	switch answer := answer.(type) {
	case Download:
		a.send(w, r, answer)
	case Reply:
		for _, cookie := range answer.Cookies {
			http.SetCookie(w, cookie)
		}
		if answer.Complete {
			text, err := json.Marshal(answer.Body)
			a.write(w, r, answer.Status, text, err)
			return
		}
		a.succeed(w, r, answer.Status, answer.Body)
	default:
		a.succeed(w, r, http.StatusOK, answer)
	}
}

func (a *Responder) succeed(w http.ResponseWriter, r *http.Request, status int, body any) {
	text, err := api.Success(a.Now(), body)
	a.write(w, r, status, text, err)
}

// send writes a file. Where that fails half-way the connection is broken off, too: the
// reader must not take a part for the whole.
func (a *Responder) send(w http.ResponseWriter, r *http.Request, file Download) {
	h := w.Header()
	h.Set("Content-Type", file.Type)
	h.Set("Content-Disposition", `attachment; filename="`+file.Name+`"`)
	if err := writeFile(w, r, file); err != nil {
		err = errors.Join(err, r.Context().Err()) // which says so where the reader is gone
		if !a.Troubles.Observe(err) {
			a.Log.Warn().Str(zerolog.ErrorFieldName, a.Redact(err.Error())).Str("file", file.Name).Msg("a file broke off")
		}
		panic(http.ErrAbortHandler)
	}
}

// Fail answers with an error.
func (a *Responder) Fail(w http.ResponseWriter, r *http.Request, err error) {
	p := Explain(err)
	a.Refused(p.Code)
	intended := errors.Is(err, store.ErrDraining) // by an administrator: no failure
	if p.Status >= http.StatusInternalServerError && !intended && !a.Troubles.Observe(err) {
		a.Log.Error().Err(err).Str("method", r.Method).Str("code", p.Code).Msg("request failed")
	}
	a.writeProblem(w, p)
}

// Panicked answers in place of a handler that panicked.
func (a *Responder) Panicked(w http.ResponseWriter) {
	a.writeProblem(w, &Problem{Status: http.StatusInternalServerError, Code: "internal", Words: "Something went wrong"})
}

// Always answers every request with the same problem.
func (a *Responder) Always(p *Problem) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.Fail(w, r, p) })
}

func (a *Responder) writeProblem(w http.ResponseWriter, p *Problem) {
	if after := p.retryAfter(); after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)))
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	text, err := json.Marshal(api.Failure{Error: p.Words, Code: p.Code, EndReason: p.EndReason, Sessions: p.Sessions,
		NextHeartbeatMS: p.NextHeartbeat.Milliseconds(), Timestamp: api.At(a.Now())})
	a.writeJSON(w, p.Status, text, err)
}

// write compresses what is worth it.
func (a *Responder) write(w http.ResponseWriter, r *http.Request, status int, text []byte, err error) {
	if err == nil && len(text) >= minCompressed && mayCompress(r) {
		text = compressed(w.Header(), r, text)
	}
	a.writeJSON(w, status, text, err)
}

// jsonType is shared by all answers: replaced, never appended to.
var jsonType = []string{"application/json"}

func (a *Responder) writeJSON(w http.ResponseWriter, status int, text []byte, err error) {
	if err != nil {
		a.Log.Error().Err(err).Msg("writing an answer")
		status, text = http.StatusInternalServerError, []byte(`{"success":false,"error":"Something went wrong","code":"internal"}`)
	}
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(text))}
	w.WriteHeader(status)
	_, _ = w.Write(text) // a caller that is gone needs no answer
}
