package server

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store/presence"
	"rollcall/store/storetest"
)

const ownToken = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.the-application's-own"

// people returns who is online by id, as the holder of a key or token sees it.
func (b *bench) people(t testing.TB, credential, query string) map[string]map[string]any {
	t.Helper()
	people := map[string]map[string]any{}
	for _, user := range do(t, b, "GET", "/admin/users/online"+query, nil, bearing(credential)).wants(200)["users"].([]any) {
		user := user.(map[string]any)
		people[user["id"].(string)] = user
	}
	return people
}

// beats reports what a heartbeat of token says: "" for alive, else the reason.
func (b *bench) beats(t testing.TB, token string) string {
	t.Helper()
	got := do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(token))
	if got.Code == 200 {
		return ""
	}
	reason, _ := got.refuses(404, "session_ended")["end_reason"].(string)
	if reason == "" {
		return "unknown"
	}
	return reason
}

func TestAPersonComesAndGoes(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key, viewer := b.key(t, "shop", "sessions"), b.key(t, "deploy", "read")
	_, token := b.person(t, key, "ada")
	if got := b.people(t, viewer, ""); len(got) != 1 {
		t.Fatalf("after the login: %v", got)
	}
	b.clock.advance(4 * time.Minute)
	do(t, b, "POST", "/admin/users/heartbeat", map[string]any{"sessionToken": token, "page": "/a?secret=1#x"}).wants(200)
	b.clock.advance(4 * time.Minute)
	ada := b.people(t, viewer, "")["ada"]
	if ada["page"] != "/a" || ada["session_duration_minutes"] != 8.0 {
		t.Fatalf("after a heartbeat: %v", ada)
	}
	do(t, b, "POST", "/admin/sessions/end", map[string]any{"session_token": token}, bearing(key)).wants(200)
	if got := b.people(t, viewer, ""); len(got) != 0 {
		t.Fatalf("after the logout: %v", got)
	}
	body := do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(token)).refuses(404, "session_ended")
	if body["end_reason"] != "logout" || body["error"] != "Session not found or expired" {
		t.Fatalf("the heartbeat after the logout: %v", body)
	}
}

func TestTheSameLoginReportedTwiceIsOneSession(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	login := map[string]any{"user": map[string]any{"id": "ada", "name": "Ada"}, "session_token": ownToken}
	first := do(t, b, "POST", "/admin/sessions", login, bearing(key)).wants(201)["session"].(map[string]any)
	login["user"] = map[string]any{"id": "ada", "name": "Ada L."}
	again := do(t, b, "POST", "/admin/sessions", login, bearing(key)).wants(200)["session"].(map[string]any)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the second answer differs:\n%s", diff)
	}
	if _, shown := first["token"]; shown {
		t.Error("the application's own token is repeated to it")
	}
	ada := b.people(t, key, "")["ada"]
	if len(ada["sessions"].([]any)) != 1 || ada["name"] != "Ada L." {
		t.Errorf("got %v, want one session and the later name", ada)
	}
	if got := b.beats(t, ownToken); got != "" {
		t.Errorf("a heartbeat with the application's own token: %s", got)
	}
}

func TestATokenBelongsToOneAppAndOneLogin(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key, other := b.key(t, "shop", "sessions"), b.key(t, "blog", "sessions")
	report := func(key, id string) result {
		return do(t, b, "POST", "/admin/sessions", map[string]any{"user": map[string]any{"id": id}, "session_token": ownToken}, bearing(key))
	}
	report(key, "ada").wants(201)
	report(other, "eve").refuses(409, "token_taken")
	if got := b.people(t, b.key(t, "shop", "read"), "?q=eve"); len(got) != 0 {
		t.Errorf("the refused login left %v", got)
	}
	do(t, b, "POST", "/admin/sessions/end", map[string]any{"session_token": ownToken}, bearing(key)).wants(200)
	if got := report(key, "ada").refuses(409, "session_ended"); got["end_reason"] != "logout" { // an ended session never comes back
		t.Errorf("the application is told %v", got)
	}
	if got := b.beats(t, ownToken); got != "logout" {
		t.Errorf("the heartbeat afterwards: %q, want logout", got)
	}
}

// Several logins that share a token end each other, which an application is not to find out from its people.
func TestWhoseSessionEndsForAnotherUsersLoginIsTold(t *testing.T) {
	for name, later := range map[string]string{
		"the same token":                `{"user":{"id":"bob"},"session_token":"the-token-of-adas-own-session"}`,
		"the same key":                  `{"user":{"id":"bob"},"session_key":"adas"}`,
		"her token as the one before":   `{"user":{"id":"bob"},"session_token":"the-token-of-bobs-own-session","previous_token":"the-token-of-adas-own-session"}`,
		"her token and a key of his":    `{"user":{"id":"bob"},"session_key":"bobs","session_token":"the-token-of-adas-own-session"}`,
		"his session, named, with hers": `{"user":{"id":"bob"},"session_key":"earlier","session_token":"the-token-of-adas-own-session"}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.New(t))
			key := bearing(b.key(t, "shop", "sessions"))
			report := func(body string) map[string]any {
				r := do(t, b, "POST", "/admin/sessions", body, key)
				if r.Code == http.StatusOK {
					return r.wants(200)
				}
				return r.wants(201)
			}
			const adas = `{"user":{"id":"ada"},"session_key":"adas","session_token":"the-token-of-adas-own-session"}`
			report(`{"user":{"id":"bob"},"session_key":"earlier"}`)
			first := report(adas)
			for _, quiet := range []map[string]any{first, report(adas)} {
				if fmt.Sprint(quiet["warnings"], quiet["evicted"]) != "[] []" {
					t.Errorf("her own report: %v", quiet)
				}
			}
			got := report(later)
			warnings := got["warnings"].([]any)
			if len(warnings) != 1 || warnings[0].(map[string]any)["code"] != "taken_over" {
				t.Errorf("warns of %v", warnings)
			}
			id := first["session"].(map[string]any)["id"]
			if fmt.Sprint(got["evicted"]) != fmt.Sprint([]any{id}) {
				t.Errorf("ended %v, want %v", got["evicted"], id)
			}
			if log := b.logs.String(); !strings.Contains(log, `"app":"shop"`) || !strings.Contains(log, id.(string)) || strings.Contains(log, "the-token-of") {
				t.Errorf("the log says %s", log)
			}
		})
	}
}

// TestAnApplicationDoesItsDutiesByItsKey plays what an application's back end does for its own people.
func TestAnApplicationDoesItsDutiesByItsKey(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key, other := bearing(b.key(t, "shop", "sessions")), bearing(b.key(t, "blog", "sessions"))
	report := func(body string) result { return do(t, b, "POST", "/admin/sessions", body, key) }
	check := func(who func(*http.Request), body, want string) {
		t.Helper()
		got := do(t, b, "POST", "/admin/sessions/check", body, who).wants(200)
		if fmt.Sprintf("%v %v", got["active"], got["end_reason"]) != want || (got["session"] == nil) == got["active"].(bool) {
			t.Errorf("%s is %v, want %s", body, got, want)
		}
	}
	report(`{"user":{"id":"ada"},"session_key":"one","session_token":"the-first-token-of-session-one"}`).wants(201)
	report(`{"user":{"id":"ada"},"session_key":"two","session_token":"the-first-token-of-session-two"}`).wants(201)
	report(`{"user":{"id":"ada"},"session_token":"the-second-token-of-session-one","previous_token":"the-first-token-of-session-one"}`).wants(200)
	check(key, `{"session_key":"one"}`, "true <nil>")
	check(key, `{"session_token":"the-second-token-of-session-one"}`, "true <nil>")
	check(other, `{"session_key":"one"}`, "false <nil>")
	do(t, b, "POST", "/admin/sessions/may", `{"user":{"id":"ada"}}`, key).wants(200)

	end := func(who func(*http.Request), body string, count float64) {
		t.Helper()
		if got := do(t, b, "POST", "/admin/sessions/end", body, who).wants(200); got["count"] != count || got["ended"] != (count > 0) {
			t.Errorf("%s ends %v, want %v", body, got, count)
		}
	}
	end(other, `{"user":"ada"}`, 0)
	end(key, `{"user":"ada","reason":"password_changed","except_token":"the-second-token-of-session-one"}`, 1)
	check(key, `{"session_key":"two"}`, "false password_changed")
	check(key, `{"session_key":"one"}`, "true <nil>")
	if got := report(`{"user":{"id":"ada"},"session_key":"two","session_token":"the-first-token-of-session-two"}`).refuses(409, "session_ended"); got["end_reason"] != "password_changed" {
		t.Errorf("the application is told %v", got)
	}
	end(key, `{"session_key":"one"}`, 1)
	end(key, `{"session_key":"one"}`, 0)
	for _, body := range []string{`{}`, `{"user":"ada","id":"1"}`, `{"session_key":"one","except_token":"the-second-token-of-session-one"}`, `{"user":"ada","reason":"expired"}`} {
		do(t, b, "POST", "/admin/sessions/end", body, key).refuses(400, "invalid_request")
	}
	for _, body := range []string{`{}`, `{"session_key":"one","session_token":"the-second-token-of-session-one"}`} {
		do(t, b, "POST", "/admin/sessions/check", body, key).refuses(400, "invalid_request")
	}
	alone := report(`{"user":{"id":"ada"},"previous_token":"the-second-token-of-session-one"}`).refuses(400, "invalid_request")
	if got := alone["error"]; got != "previous_token goes with session_token, the token that takes its place: send both, or neither" {
		t.Errorf("a previous token alone is refused: %q", got)
	}
	report(`{"user":{"id":"ada"},"session_key":"`+strings.Repeat("k", 501)+`"}`).refuses(400, "invalid_request")
}

func TestAMintedTokenIsShownOnce(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	_, token := b.person(t, key, "ada")
	if !strings.HasPrefix(token, "rcs_") || len(token) < len("rcs_")+43 {
		t.Errorf("%q is not rcs_ and 256 bits", token)
	}
	if got := do(t, b, "GET", "/admin/users/online", nil, bearing(key)).Body.String(); strings.Contains(got, token) {
		t.Errorf("the list shows it: %s", got)
	}
	again := do(t, b, "POST", "/admin/sessions", map[string]any{"user": map[string]any{"id": "ada"}, "session_token": token}, bearing(key))
	if session := again.wants(200)["session"].(map[string]any); session["token"] != nil {
		t.Errorf("it is shown again: %v", session)
	}
}

func TestALogoutMayBeReportedTwice(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "sessions")
	id, token := b.person(t, key, "ada")
	for i, body := range []map[string]any{
		{"session_token": token}, {"session_token": token}, {"id": id}, {"id": "12345"}, {"id": "no number"}, {"session_token": "unknown"},
	} {
		got := do(t, b, "POST", "/admin/sessions/end", body, bearing(key)).wants(200)
		if got["ended"] != (i == 0) {
			t.Errorf("%v: ended is %v", body, got["ended"])
		}
	}
	for _, body := range []string{`{}`, `{"id":"1","session_token":"x"}`, `{"id":""}`} {
		do(t, b, "POST", "/admin/sessions/end", body, bearing(key)).refuses(400, "invalid_request")
	}
}

func TestAKeyEndsNoSessionOfAnotherApp(t *testing.T) {
	b := newBench(t, storetest.New(t))
	shop, blog := b.key(t, "shop", "sessions"), b.key(t, "blog", "admin")
	id, token := b.person(t, shop, "ada")
	panel := b.admin(t)
	for _, body := range []map[string]any{{"session_token": token}, {"id": id}, {"session_token": panel}} {
		if got := do(t, b, "POST", "/admin/sessions/end", body, bearing(blog)).wants(200); got["ended"] != false {
			t.Errorf("%v: %v", body, got)
		}
	}
	if got := b.beats(t, token); got != "" {
		t.Errorf("her session has ended: %s", got)
	}
	do(t, b, "GET", "/auth/me", nil, cookied(b, panel)).wants(200)
}

func TestARevokedSessionIsRefusedAtOnce(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	id, token := b.person(t, key, "ada")
	do(t, b, "DELETE", "/admin/sessions/"+id, nil, bearing(key)).wants(200)
	if got := b.beats(t, token); got != "revoked" {
		t.Errorf("the next heartbeat: %q", got)
	}
	do(t, b, "GET", "/auth/me", nil, bearing(token)).refuses(401, "unauthenticated")
	if got := b.people(t, key, ""); len(got) != 0 {
		t.Errorf("still online: %v", got)
	}
	for _, id := range []string{id, "12345", "ada", "%2e%2e", "-1", "99999999999999999999"} {
		do(t, b, "DELETE", "/admin/sessions/"+id, nil, bearing(key)).refuses(404, "session_ended")
	}
}

func TestASessionEndsADayAfterTheLastActivity(t *testing.T) {
	b := newBench(t, storetest.New(t))
	_, token := b.person(t, b.key(t, "shop", "sessions"), "ada")
	b.clock.advance(23 * time.Hour)
	if got := b.beats(t, token); got != "" {
		t.Fatalf("after 23 hours: %s", got)
	}
	b.clock.advance(24*time.Hour - time.Millisecond)
	do(t, b, "GET", "/auth/me", nil, bearing(token)).wants(200)
	b.clock.advance(time.Millisecond)
	if got := b.beats(t, token); got != string(presence.EndExpired) {
		t.Errorf("after a day without a heartbeat: %q", got)
	}
}

func TestNoHeartbeatSucceedsAfterALogoutIsAnswered(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	for range 20 {
		_, token := b.person(t, key, "ada")
		var over atomic.Bool
		var beats sync.WaitGroup
		for range 4 {
			beats.Go(func() {
				for last := false; !last; {
					last = over.Load() // from before the request
					if got := do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(token)).Code; last && got != 404 {
						t.Errorf("a heartbeat after the logout: %d", got)
					}
				}
			})
		}
		do(t, b, "POST", "/admin/sessions/end", map[string]any{"session_token": token}, bearing(key)).wants(200)
		over.Store(true)
		beats.Wait()
	}
	if got := b.people(t, key, ""); len(got) != 0 {
		t.Errorf("still online: %v", got)
	}
}
