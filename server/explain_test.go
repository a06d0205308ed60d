package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store/storetest"
)

func TestExplain(t *testing.T) {
	b := newBench(t, storetest.New(t))
	shop, read := b.key(t, "shop", "sessions"), b.key(t, "shop", "read")
	first, ada := b.person(t, shop, "ada")
	b.clock.advance(time.Minute)
	do(t, b, "POST", "/admin/users/heartbeat", `{"idle_ms":600000}`, bearing(ada)).wants(200)
	b.clock.advance(time.Second)
	second, tab := b.person(t, shop, "ada")
	do(t, b, "POST", "/admin/users/heartbeat", `{"leaving":true}`, bearing(tab)).wants(200)
	do(t, b, "PUT", "/admin/users/ada/status", `{"status":"busy","text":"Live","for_ms":60000}`, bearing(shop)).wants(200)
	limit := func(of map[string]any) any {
		if ms, ok := of["limit_ms"].(float64); ok {
			return time.Duration(ms) * time.Millisecond
		}
		return of["limit_ms"]
	}
	explain := func(after time.Duration) string {
		t.Helper()
		b.clock.advance(after)
		body := do(t, b, "GET", "/admin/users/ada/explain", nil, bearing(read)).wants(200)
		lines := []string{fmt.Sprint(body["user"].(map[string]any)["name"], " ", body["status"], " by ", body["decided_by"])}
		for _, c := range body["claims"].([]any) {
			c := c.(map[string]any)
			lines = append(lines, fmt.Sprint(c["by"], " ", c["status"], " ", c["text"], " ", c["until"]))
		}
		for _, s := range body["sessions"].([]any) {
			s := s.(map[string]any)
			line := fmt.Sprint(map[any]string{first: "first", second: "second"}[s["id"]], " ", s["state"], ". ", s["rule"])
			codes := fmt.Sprint(s["rule_code"], " ", limit(s))
			if next, ok := s["next"].(map[string]any); ok {
				line += fmt.Sprint(" Then ", next["state"], " at ", next["at"], ". ", next["because"])
				codes += fmt.Sprint(", ", next["because_code"], " ", limit(next))
			}
			lines = append(lines, line, codes)
		}
		return strings.Join(lines, "\n")
	}
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{0, `ada busy by app_claim
shop busy Live 2026-03-02T09:32:01.000Z
second online. The last tab said goodbye less than 15s ago (--leave-grace). Then left at 2026-03-02T09:31:16.000Z. Unless a tab comes back within 15s of the goodbye (--leave-grace).
leaving 15s, leave_grace_over 15s
first online. The last heartbeat came less than 5m ago (--online-window). Then timed_out at 2026-03-02T09:36:00.000Z. Unless a heartbeat comes within 5m of the last (--online-window).
heartbeat 5m0s, online_window_over 5m0s`},
		{time.Minute, `ada away by all_idle
second left. The last tab said goodbye and none came back within 15s (--leave-grace). Then expired at 2026-03-03T09:31:01.000Z. The login ends 24h after the last activity (--session-ttl).
leave_grace_over 15s, session_ttl_over 24h0m0s
first online. The last heartbeat came less than 5m ago (--online-window). Then timed_out at 2026-03-02T09:36:00.000Z. Unless a heartbeat comes within 5m of the last (--online-window).
heartbeat 5m0s, online_window_over 5m0s`},
		{time.Hour, `ada offline by no_session_online
second left. The last tab said goodbye and none came back within 15s (--leave-grace). Then expired at 2026-03-03T09:31:01.000Z. The login ends 24h after the last activity (--session-ttl).
leave_grace_over 15s, session_ttl_over 24h0m0s
first timed_out. No heartbeat came for 5m (--online-window). Then expired at 2026-03-03T09:30:00.000Z. The login ends 24h after the last activity (--session-ttl).
online_window_over 5m0s, session_ttl_over 24h0m0s`},
		{24 * time.Hour, `ada offline by no_session_online
second expired. The login is over: nobody was active for 24h (--session-ttl).
session_ttl_over 24h0m0s
first expired. The login is over: nobody was active for 24h (--session-ttl).
session_ttl_over 24h0m0s`},
	} {
		if diff := cmp.Diff(strings.Split(step.want, "\n"), strings.Split(explain(step.after), "\n")); diff != "" {
			t.Errorf("after %v:\n%s", step.after, diff)
		}
	}
	do(t, b, "POST", "/admin/users/cleanup-sessions", nil, bearing(b.key(t, "shop", "admin"))).wants(200)
	if got := explain(0); strings.Count(got, " ended. The login was over and has been cleaned up (--session-ttl).\nended <nil>") != 2 {
		t.Error(got)
	}
	do(t, b, "GET", "/admin/users/nobody/explain", nil, bearing(read)).refuses(404, "user_not_found")
}

func TestALoginWithoutAHeartbeatIsNoPresence(t *testing.T) {
	b := newBench(t, storetest.New(t))
	cron, read := b.key(t, "cron", "sessions"), b.key(t, "cron", "read")
	explained := func() string {
		t.Helper()
		body := do(t, b, "GET", "/admin/users/robot/explain", nil, bearing(read)).wants(200)
		session := body["sessions"].([]any)[0].(map[string]any)
		line := fmt.Sprint(body["status"], ", ", session["state"], " by ", session["rule_code"], " of ", session["limit_ms"])
		if next, ok := session["next"].(map[string]any); ok {
			line += fmt.Sprint(", ", next["state"], " by ", next["because_code"])
		}
		return line
	}
	gate := func() any {
		t.Helper()
		return map[int]string{200: "clear", 409: "hold"}[do(t, b, "GET", "/admin/gate", nil, bearing(read)).Code]
	}
	const login, over = "available, online by login of 120000, timed_out by login_only", "offline, timed_out by login_only of 120000, expired by session_ttl_over"
	for range 3 { // a job that logs in every four minutes
		_, token := b.person(t, cron, "robot")
		b.clock.advance(2*time.Minute - time.Millisecond)
		if level, got := gate(), explained(); level != "hold" || got != login {
			t.Errorf("as long as a page needs to load the gate says %v, and it is %s", level, got)
		}
		b.finds(t, "heartbeats", "ok: No application reports logins only")
		b.clock.advance(time.Millisecond)
		if level, got := gate(), explained(); level != "clear" || got != over {
			t.Errorf("after two heartbeats' time the gate says %v, and it is %s", level, got)
		}
		b.finds(t, "heartbeats", `warning: "cron" reports logins, and none of its pages has sent a heartbeat`)
		b.clock.advance(2 * time.Minute)
		do(t, b, "POST", "/admin/sessions/end", map[string]any{"session_token": token}, bearing(cron)).wants(200)
	}
	_, token := b.person(t, cron, "robot")
	b.clock.advance(3 * time.Minute)
	b.beats(t, token)
	b.clock.advance(5*time.Minute - time.Millisecond)
	if level, got := gate(), explained(); level != "hold" || got != "available, online by heartbeat of 300000, timed_out by online_window_over" {
		t.Errorf("after a late heartbeat the gate says %v, and it is %s", level, got)
	}
	b.finds(t, "heartbeats", "ok: No application reports logins only")
}
