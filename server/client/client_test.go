package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
	"rollcall/server/client"
)

const secret = "rck_canary"

// answering starts a server that gives every request to handler, and returns a client of it.
func answering(t *testing.T, handler http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := client.New(server.URL, secret)
	t.Cleanup(c.Close)
	return c
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name       string
		status     int
		retryAfter string
		body       string
		want       client.Error
		text       string
	}{
		{
			"a failure of the API keeps its code and words",
			404, "", `{"success":false,"error":"Session not found or expired","code":"session_ended","end_reason":"revoked"}`,
			client.Error{Status: 404, Code: "session_ended", Message: "Session not found or expired", EndReason: "revoked"},
			"Session not found or expired (404)",
		},
		{
			"a busy server says when to come back",
			503, "7", `{"success":false,"error":"Storage is full","code":"storage_full"}`,
			client.Error{Status: 503, Code: "storage_full", Message: "Storage is full", RetryAfter: 7 * time.Second},
			"Storage is full (503)",
		},
		{
			"a proxy's page is not repeated",
			502, "Wed, 21 Oct 2026 07:28:00 GMT", "<html>internal details</html>",
			client.Error{Status: 502},
			"the server answered 502 Bad Gateway",
		},
		{
			"a redirect is not followed",
			302, "", "",
			client.Error{Status: 302},
			"the server answered 302 Found",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := answering(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.Header().Set("Retry-After", test.retryAfter)
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			})
			_, err := c.Notices(t.Context())
			var got *client.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a *client.Error", err)
			}
			if diff := cmp.Diff(test.want, *got); diff != "" {
				t.Error(diff)
			}
			if err.Error() != test.text {
				t.Errorf("it reads %q, want %q", err, test.text)
			}
		})
	}
}

func TestErrorsCompareByCode(t *testing.T) {
	err := fmt.Errorf("beating: %w", &client.Error{Status: 404, Code: "session_ended", Message: "gone"})
	if !errors.Is(err, &client.Error{Code: "session_ended"}) {
		t.Error("the same code is not recognised")
	}
	if errors.Is(err, &client.Error{Code: "not_found"}) || errors.Is(err, &client.Error{}) {
		t.Error("another code is taken for it")
	}
}

func TestOnlineAll(t *testing.T) {
	pages := map[string]string{
		"":  `{"users":[{"id":"c","last_activity_at":"2026-03-02T08:00:00Z"},{"id":"a","last_activity_at":"2026-03-02T10:00:00Z"}],"count":4,"counts":{"available":3,"away":1},"next_cursor":"1"}`,
		"1": `{"users":[{"id":"a","last_activity_at":"2026-03-02T10:00:00Z"},{"id":"d","last_activity_at":"2026-03-02T07:00:00Z"}],"count":4,"next_cursor":"2"}`,
		"2": `{"users":[{"id":"b","last_activity_at":"2026-03-02T09:00:00Z"}],"count":4,"next_cursor":""}`,
	}
	var asked []string
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		io.WriteString(w, pages[r.URL.Query().Get("cursor")])
	})
	page, err := c.OnlineAll(t.Context(), client.OnlineFilter{App: "wiki & more"})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, user := range page.Users {
		ids = append(ids, user.ID)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, ids); diff != "" {
		t.Errorf("everybody once, the latest first: %s", diff)
	}
	if want := (api.Counts{Available: 3, Away: 1}); page.Counts != want || page.Count != 4 {
		t.Errorf("got %+v and %d", page.Counts, page.Count)
	}
	wantAsked := []string{"app=wiki+%26+more&limit=1000&sort=name", "app=wiki+%26+more&cursor=1&limit=1000&sort=name", "app=wiki+%26+more&cursor=2&limit=1000&sort=name"}
	if diff := cmp.Diff(wantAsked, asked); diff != "" {
		t.Error(diff)
	}
}

func TestOnlineAllEndsWhenTheCursorStands(t *testing.T) {
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"users":[],"next_cursor":"same"}`)
	})
	if _, err := c.OnlineAll(t.Context(), client.OnlineFilter{}); err == nil {
		t.Error("no error")
	}
}

func TestRequests(t *testing.T) {
	type request struct{ Method, Path, Authorization, Body string }
	tests := []struct {
		name string
		call func(context.Context, *client.Client) error
		want request
	}{
		{"a heartbeat speaks for the session, not for the key", func(ctx context.Context, c *client.Client) error {
			_, err := c.Heartbeat(ctx, "rcs_1", api.Heartbeat{IdleMS: 1500, Page: new("/a"), Leaving: true})
			return err
		}, request{"POST", "/admin/users/heartbeat", "Bearer rcs_1", `{"idle_ms":1500,"page":"/a","leaving":true}`}},
		{"a login tells only what it was given", func(ctx context.Context, c *client.Client) error {
			_, err := c.Login(ctx, api.LoginReport{User: api.UserInput{ID: "7", Name: new("Ada"), Team: new("")}})
			return err
		}, request{"POST", "/admin/sessions", "Bearer " + secret, `{"user":{"id":"7","name":"Ada","team":""}}`}},
		{"a user's id is in the path, whatever it holds", func(ctx context.Context, c *client.Client) error {
			_, err := c.DeleteUser(ctx, "a/b c?")
			return err
		}, request{"DELETE", "/admin/users/a%2Fb%20c%3F", "Bearer " + secret, ""}},
		{"a logout has the token in the body", func(ctx context.Context, c *client.Client) error {
			_, err := c.EndSession(ctx, "rcs_1")
			return err
		}, request{"POST", "/admin/sessions/end", "Bearer " + secret, `{"session_token":"rcs_1"}`}},
		{"a status is claimed for somebody", func(ctx context.Context, c *client.Client) error {
			_, err := c.SetStatus(ctx, "a/b", api.StatusInput{Status: "busy", Text: "Recording", ForMS: new(int64(1000))})
			return err
		}, request{"PUT", "/admin/users/a%2Fb/status", "Bearer " + secret, `{"status":"busy","text":"Recording","for_ms":1000}`}},
		{"a revocation has no body", func(ctx context.Context, c *client.Client) error {
			return c.Revoke(ctx, "s1")
		}, request{"DELETE", "/admin/sessions/s1", "Bearer " + secret, ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got request
			c := answering(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = request{r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), string(body)}
				io.WriteString(w, "{}")
			})
			if err := test.call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnotherServicesSuccessIsNoAnswer(t *testing.T) {
	calls := map[string]func(context.Context, *client.Client) error{
		"the gate": func(ctx context.Context, c *client.Client) error {
			gate, err := c.Gate(ctx, client.GateQuestion{})
			if gate.Success {
				t.Error("it may be taken for a yes")
			}
			return err
		},
		"a drain": func(ctx context.Context, c *client.Client) error {
			_, err := c.Drain(ctx)
			return err
		},
		"a drain that is begun": func(ctx context.Context, c *client.Client) error {
			_, err := c.BeginDrain(ctx, api.DrainInput{Message: "Moving"})
			return err
		},
		"a drain that is ended": func(ctx context.Context, c *client.Client) error {
			_, err := c.EndDrain(ctx)
			return err
		},
		"the clock": func(ctx context.Context, c *client.Client) error {
			_, err := c.Clock(ctx)
			return err
		},
	}
	for _, body := range []string{`{}`, `{"success":true}`, `{"status":"maintenance"}`, `{"success":true,"level":"info"}`, `[]`, `<html>`, ``} {
		c := answering(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
		for name, call := range calls {
			if err := call(t.Context(), c); err == nil || !strings.Contains(err.Error(), "is not Rollcall's") {
				t.Errorf("%s, answered by %q: %v", name, body, err)
			}
		}
	}
}

func TestAnEndlessAnswerIsCutOff(t *testing.T) {
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		piece := []byte(strings.Repeat(" ", 1<<20))
		for { // until the client hangs up
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	if _, err := c.Notices(t.Context()); err == nil || !strings.Contains(err.Error(), "larger than 32 MB") {
		t.Errorf("got %v", err)
	}
}

func TestErrorsHoldNoSecret(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	tests := []struct{ name, base, credential string }{
		{"unreachable", closed.URL, secret},
		{"credential that no header can hold", closed.URL, secret + "\n"},
		{"password in the address", "http://ann:" + secret + "@" + strings.TrimPrefix(closed.URL, "http://"), ""},
		{"secret in the query", closed.URL + "?key=" + secret, ""},
		{"not an address", "rollcall:" + secret, ""},
		{"not a URL", "http://%zz" + secret, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := client.New(test.base, test.credential).EndSession(t.Context(), secret)
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}

func TestAServerIsNamedAsItIsTold(t *testing.T) {
	var hosts []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hosts = append(hosts, r.Host) }))
	defer server.Close()
	c := client.New(server.URL, "", client.WithHost("localhost"))
	defer c.Close()
	if err := c.Health(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Live(t.Context(), nil); err == nil {
		t.Error("there is no feed")
	}
	if diff := cmp.Diff([]string{"localhost", "localhost"}, hosts); diff != "" {
		t.Error(diff)
	}
}

func TestABasePathIsKept(t *testing.T) {
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		json.NewEncoder(w).Encode(map[string]any{"online": 3, "timestamp": "2026-01-02T03:04:05.678Z"})
	}))
	defer server.Close()
	c := client.New(server.URL+"/rollcall/", "", client.WithConnections(2))
	defer c.Close()
	drain, err := c.Drain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if path != "/rollcall/admin/drain" {
		t.Errorf("asked %s", path)
	}
	want := api.Drain{Online: 3, Timestamp: api.At(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC))}
	if diff := cmp.Diff(want, drain); diff != "" {
		t.Error(diff)
	}
}

func TestAnAnswerOfTheGateIsAYesOnlyByItsLevel(t *testing.T) {
	for body, want := range map[string][2]bool{ // and with caution allowed
		`{"success":true,"level":"hold","timestamp":"2026-03-02T09:30:00Z"}`:    {false, false},
		`{"success":true,"level":"caution","timestamp":"2026-03-02T09:30:00Z"}`: {false, true},
		`{"success":true,"level":"clear","timestamp":"2026-03-02T09:30:00Z"}`:   {true, true},
		`{"success":false,"level":"clear","timestamp":"2026-03-02T09:30:00Z"}`:  {false, false},
	} {
		c := answering(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
		for i, allow := range []bool{false, true} {
			if gate, err := c.Gate(t.Context(), client.GateQuestion{AllowCaution: allow}); err != nil || gate.Success != want[i] {
				t.Errorf("%s, with caution allowed %v: %v, %v", body, allow, gate.Success, err)
			}
		}
	}
}
