package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/store/storetest"
)

// hangsUp is a client that reads nothing: net/http ends the request's context where a write fails.
type hangsUp struct {
	*httptest.ResponseRecorder
	hangUp func()
}

func (w hangsUp) Write([]byte) (int, error) {
	w.hangUp()
	return 0, syscall.EPIPE
}

func TestHangingUpIsNoErrorInTheLog(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := cookied(b, b.admin(t))
	for _, call := range []string{"GET /admin/users/online", "GET /admin/sessions", "GET /admin/sessions?format=csv", "GET /admin/audit", "GET /admin/stats",
		"GET /admin/accounts", "GET /auth/me", "POST /auth/login", "POST /admin/users/cleanup-sessions"} {
		method, path, _ := strings.Cut(call, " ")
		for i := range 50 { // at whatever it is just doing
			gone, hangUp := context.WithCancel(t.Context())
			time.AfterFunc(time.Duration(i)*20*time.Microsecond, hangUp)
			r := httptest.NewRequest(method, path, strings.NewReader(`{"name":"root","password":"a wrong password"}`)).WithContext(gone)
			r.Host = "localhost:8080"
			r.Header.Set("Content-Type", "application/json")
			admin(r)
			func() {
				defer func() { _ = recover() }() // a file that breaks off breaks off the connection
				b.Handler().ServeHTTP(httptest.NewRecorder(), r)
			}()
			hangUp()
		}
	}
	wantNoTrouble(t, b)
}

func TestHangingUpInTheMiddleOfAFileIsNoErrorInTheLog(t *testing.T) {
	b := newBench(t, storetest.New(t))
	gone, hangUp := context.WithCancel(t.Context())
	r := httptest.NewRequest("GET", "/admin/sessions?format=csv", nil).WithContext(gone)
	r.Host = "localhost:8080"
	cookied(b, b.admin(t))(r)
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("the connection is not broken off")
		}
		wantNoTrouble(t, b)
	}()
	b.Handler().ServeHTTP(hangsUp{httptest.NewRecorder(), hangUp}, r)
}

func wantNoTrouble(t *testing.T, b *bench) {
	t.Helper()
	for _, level := range []string{"warn", "error"} {
		if lines := b.lines(`"level":"` + level + `"`); len(lines) > 0 {
			t.Errorf("the log: %s", lines)
		}
	}
}
