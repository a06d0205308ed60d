package server

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

func TestADrainKeepsPeopleOutUntilItIsOver(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin, shop := bearing(b.key(t, "ops", "admin")), bearing(b.key(t, "shop", "sessions"))
	do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"a-token-of-its-own-and-random"}`, shop).wants(201)
	b.account(t, "root", store.AccessAdmin)
	if got := do(t, b, "GET", "/admin/drain", nil, admin).wants(200); got["draining"] != false || got["online"] != 1.0 {
		t.Errorf("before: %v", got)
	}
	got := do(t, b, "PUT", "/admin/drain", `{"message":"Back at six","end_sessions_in_ms":60000}`, admin).wants(200)
	if got["draining"] != true || got["message"] != "Back at six" || got["end_sessions_at"] != api.At(b.now().Add(time.Minute)).String() || got["online"] != 1.0 {
		t.Errorf("begun: %v", got)
	}
	refused := do(t, b, "POST", "/admin/sessions/may", `{"user":{"id":"bob"}}`, shop)
	if body := refused.refuses(503, "draining"); body["error"] != "Back at six" || refused.Header().Get("Retry-After") != "60" {
		t.Errorf("who comes is told %v, Retry-After %s", body["error"], refused.Header().Get("Retry-After"))
	}
	if b.logs.String() != "" {
		t.Errorf("logged as a failure: %s", b.logs)
	}
	do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"a-token-of-its-own-and-random"}`, shop).wants(200)
	do(t, b, "POST", "/admin/sessions/may", `{"user":{"id":"boss","role":"Admin"}}`, shop).wants(200)
	if got := do(t, b, "GET", "/admin/drain", nil, shop).wants(200); got["message"] != "Back at six" || got["came_in"] != 0.0 {
		t.Errorf("the application reads %v", got)
	}
	b.clock.advance(time.Second)
	came := do(t, b, "POST", "/admin/sessions", `{"user":{"id":"bob","name":"Bob"}}`, shop).wants(201)
	if fmt.Sprint(came["warnings"]) != "[map[code:draining message:Back at six]]" {
		t.Errorf("who comes in all the same: %v", came)
	}
	if got := do(t, b, "GET", "/admin/drain", nil, admin).wants(200); got["came_in"] != 1.0 || got["online"] != 2.0 {
		t.Errorf("with somebody who came in: %v", got)
	}
	do(t, b, "POST", "/admin/sessions/end", `{"user":"bob"}`, shop).wants(200)
	do(t, b, "POST", "/admin/sessions", `{"user":{"id":"boss","role":"Admin"}}`, shop).wants(201)
	do(t, b, "POST", "/auth/login", map[string]any{"name": "root", "password": password}).wants(200)
	if got := do(t, b, "PUT", "/admin/drain", `{"message":"Back at seven"}`, admin).wants(200); got["end_sessions_at"] != nil || got["online"] != 1.0 {
		t.Errorf("changed: %v", got)
	}
	for range 2 {
		do(t, b, "DELETE", "/admin/drain", nil, admin).wants(200)
	}
	do(t, b, "POST", "/admin/sessions", `{"user":{"id":"bob"}}`, shop).wants(201)
}

func TestWhoIsInSeesTheDrainAsANotice(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin, shop := bearing(b.key(t, "ops", "admin")), b.key(t, "shop", "sessions")
	_, ada := b.person(t, shop, "ada")
	boss := do(t, b, "POST", "/admin/sessions", `{"user":{"id":"boss","role":"admin"}}`, bearing(shop)).wants(201)["session"].(map[string]any)["token"].(string)
	watch := b.account(t, "watch", store.AccessViewer)
	notice := func(token string) map[string]any {
		t.Helper()
		all := do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(token)).wants(200)["notices"].([]any)
		if len(all) == 0 {
			return map[string]any{}
		}
		return all[0].(map[string]any)
	}
	do(t, b, "PUT", "/admin/drain", `{"message":"Back at six","end_sessions_in_ms":60000}`, admin).wants(200)
	first := notice(ada)
	if first["kind"] != "drain" || first["message"] != "Back at six" || first["until"] != api.At(b.now().Add(time.Minute)).String() {
		t.Errorf("ada sees %v", first)
	}
	if got := notice(boss); got["kind"] != "drain" || got["until"] != nil {
		t.Errorf("the admin, who stays, sees %v", got)
	}
	if got := notice(watch); len(got) != 0 {
		t.Errorf("in the panel stands %v", got)
	}
	do(t, b, "PUT", "/admin/drain", `{"message":"Back at six","end_sessions_in_ms":90000}`, admin).wants(200)
	if second := notice(ada); second["id"] == first["id"] || second["id"] == nil {
		t.Errorf("another end has the id %v, which may be dismissed", second["id"])
	}
	do(t, b, "DELETE", "/admin/drain", nil, admin).wants(200)
	if got := notice(ada); len(got) != 0 {
		t.Errorf("after it she sees %v", got)
	}
}

func TestDrainsThatAreRefused(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := bearing(b.key(t, "ops", "admin"))
	for name, body := range map[string]string{
		"no message":         `{}`,
		"an end in the past": `{"message":"m","end_sessions_at":"2020-01-01T00:00:00Z"}`,
		"no time":            `{"message":"m","end_sessions_at":"soon"}`,
		"two ends":           `{"message":"m","end_sessions_at":"2026-03-02T17:30:00Z","end_sessions_in_ms":5}`,
		"an unknown field":   `{"message":"m","force":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			do(t, b, "PUT", "/admin/drain", body, admin).refuses(400, "invalid_request")
		})
	}
	do(t, b, "PUT", "/admin/drain", `{"message":"m"}`, admin, header("Content-Type", "text/plain")).refuses(415, "unsupported_media_type")
	do(t, b, "PUT", "/admin/drain", pad(`{"message":"m"}`, 64<<10+1), admin).refuses(413, "body_too_large")
	if got := do(t, b, "GET", "/admin/drain", nil, admin).wants(200); got["draining"] != false {
		t.Errorf("it drains: %v", got)
	}
}

func TestTheServerEndsTheSessionsOfADrainAtItsTime(t *testing.T) {
	onAFeed(t, func(t *testing.T, s *served, r *reader) {
		ada := s.enter(t, "ada")
		r.tells("online ada")
		do(t, s.bench, "PUT", "/admin/drain", `{"message":"m","end_sessions_in_ms":10000}`, bearing(s.key(t, "ops", "admin"))).wants(200)
		r.tells("notice")
		time.Sleep(7500 * time.Millisecond)
		r.tells("session_ended ada revoked", "offline ada revoked")
		body := do(t, s.bench, "POST", "/admin/users/heartbeat", nil, bearing(ada)).refuses(404, "session_ended")
		if body["end_reason"] != "revoked" {
			t.Errorf("she is told %v", body["end_reason"])
		}
		if got := do(t, s.bench, "GET", "/admin/drain", nil, bearing(s.key(t, "ops", "read"))).wants(200); got["sessions_ended_at"] == nil || got["draining"] != true {
			t.Errorf("afterwards: %v", got)
		}
	})
}

// drainedAt has a drain end the only session on record, ada's, after a while, and lets time go by without a server.
func drainedAt(t *testing.T, s *store.Store, in, away time.Duration) {
	t.Helper()
	end := time.Now().Add(in)
	_, err := s.Login(t.Context(), time.Now(), shopBackend, store.Login{User: store.UserInput{ID: "ada"}})
	if err == nil {
		_, err = s.BeginDrain(t.Context(), time.Now(), "user:root", "m", &end)
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(away)
}

func endedByDrain(t *testing.T, s *store.Store) bool {
	t.Helper()
	synctest.Wait()
	page, err := s.Sessions(t.Context(), time.Now(), store.SessionFilter{State: store.ScopeEnded, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Sessions) == 1 && page.Sessions[0].EndReason == presence.EndRevoked
}

func TestAStartAfterTheTimeEndsTheSessionsOfADrain(t *testing.T) {
	for name, c := range map[string]struct{ in, away, after time.Duration }{
		"when the time has passed, without the stop": {time.Minute, time.Hour, time.Minute},
		"or else, when the clock has proved steady":  {30 * time.Minute, time.Hour, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := serving(t, func(cfg *Config) { drainedAt(t, cfg.Store, c.in, c.away) })
				time.Sleep(c.after - 2*time.Second)
				if endedByDrain(t, s.store) {
					t.Error("the sessions ended by a clock that may be ahead")
				}
				time.Sleep(4 * time.Second)
				if !endedByDrain(t, s.store) {
					t.Error("the sessions have not ended")
				}
				s.stop()
				s.must(t, <-s.ended)
			})
		})
	}
}

func TestAWrongClockDoesNotEndTheSessionsOfADrain(t *testing.T) {
	const day = 24 * time.Hour
	for name, off := range map[string]func(up time.Duration) time.Duration{
		"a start by one that is ahead": func(time.Duration) time.Duration { return 2 * day },
		"a start by one that is ahead and set right": func(up time.Duration) time.Duration {
			if up < 5*time.Minute {
				return 2 * day
			}
			return 0
		},
		"a step ahead": func(up time.Duration) time.Duration {
			if up < 5*time.Minute {
				return 0
			}
			return 2 * day
		},
		"a start by one that is behind": func(time.Duration) time.Duration { return -2 * day },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				db := storetest.OpenFile(t, t.TempDir(), presence.DefaultRules())
				drainedAt(t, db, day, time.Minute)
				start := time.Now()
				s := servingOn(t, db, func(c *Config) {
					c.Now = func() time.Time { return time.Now().Add(off(time.Since(start))) }
					c.Uptime = func() time.Duration { return time.Since(start) }
				})
				time.Sleep(9 * time.Minute)
				if endedByDrain(t, db) {
					t.Error("the sessions ended a day too early")
				}
				s.stop()
				s.must(t, <-s.ended)
				time.Sleep(time.Until(start.Add(day - 15*time.Minute)))
				s = servingOn(t, db)
				time.Sleep(13 * time.Minute)
				if endedByDrain(t, db) {
					t.Error("later they ended before the time")
				}
				s.stop()
				s.must(t, <-s.ended)
			})
		})
	}
}
