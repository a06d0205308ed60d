package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/store/storetest"
)

// doubts asks the gate, which must be at a level, and returns of whom it doubts: "doubt app detail" of each.
func (b *bench) doubts(t *testing.T, key, query, level string) (all []string) {
	t.Helper()
	status := map[string]int{"clear": 200, "caution": 409, "hold": 409}[level]
	got := do(t, b, "GET", "/admin/gate"+query, nil, bearing(key)).wants(status)
	if got["level"] != level {
		t.Errorf("the gate says %v, want %s", got, level)
	}
	for _, one := range got["unidentified"].([]any) {
		one := one.(map[string]any)
		all = append(all, fmt.Sprint(one["doubt"], " ", one["app"], " ", one["detail"]))
	}
	return all
}

const stranger = "a-token-that-nobody-has-reported"

func TestWhoeverMayBeAtWorkAndIsOnNoRecord(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(t *testing.T, b *bench, sessions string)
		want string // doubt
	}{
		{"a page in use has a token that nobody reported", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`"}`, header("Origin", "https://shop.example")).refuses(404, "session_ended")
		}, "unknown_token  https://shop.example"},
		{"a page that nobody uses", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`","idle_ms":600000}`).refuses(404, "session_ended")
		}, ""},
		{"a page that is closing", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`"}`).refuses(404, "session_ended")
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`","leaving":true}`).refuses(404, "session_ended")
		}, ""},
		{"a page whose token is reported later", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`"}`).refuses(404, "session_ended")
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"`+stranger+`"}`, bearing(sessions)).wants(201)
			do(t, b, "POST", "/admin/sessions/end", `{"session_token":"`+stranger+`"}`, bearing(sessions)).wants(200)
		}, ""},
		{"a page whose session was ended by its application", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"`+stranger+`"}`, bearing(sessions)).wants(201)
			do(t, b, "POST", "/admin/sessions/end", `{"session_token":"`+stranger+`"}`, bearing(sessions)).wants(200)
			do(t, b, "POST", "/admin/users/heartbeat", `{"sessionToken":"`+stranger+`","idle_ms":600000}`).refuses(404, "session_ended")
		}, ""},
		{"a login that could not be read", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":7.5}}`, bearing(sessions)).refuses(400, "invalid_request")
		}, "refused_report shop invalid_request"},
		{"a login with a token that is too short", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"short"}`, bearing(sessions)).refuses(400, "invalid_request")
		}, "refused_report shop invalid_request"},
		{"a login that was refused and then taken", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"short"}`, bearing(sessions)).refuses(400, "invalid_request")
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"`+stranger+`"}`, bearing(sessions)).wants(201)
			do(t, b, "POST", "/admin/sessions/end", `{"session_token":"`+stranger+`"}`, bearing(sessions)).wants(200)
		}, ""},
		{"a login that was taken and then refused", func(t *testing.T, b *bench, sessions string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"short"}`, bearing(sessions)).refuses(400, "invalid_request")
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"`+stranger+`"}`, bearing(sessions)).wants(201)
			do(t, b, "POST", "/admin/sessions/end", `{"session_token":"`+stranger+`"}`, bearing(sessions)).wants(200)
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"},"session_token":"short"}`, bearing(sessions)).refuses(400, "invalid_request")
		}, "refused_report shop invalid_request"},
		{"a login reported with a key that may not", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"}}`, bearing(b.key(t, "crm", "read"))).refuses(403, "forbidden")
		}, "refused_report crm forbidden"},
		{"a login reported with a key that was deleted", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"}}`, bearing("rck_"+strings.Repeat("x", 43))).refuses(401, "unauthenticated")
		}, "refused_report  unauthenticated"},
		{"a stranger who asks", func(t *testing.T, b *bench, _ string) {
			do(t, b, "POST", "/admin/sessions/may", `{"user":{"id":"ada"}}`).refuses(401, "unauthenticated")
			do(t, b, "GET", "/admin/sessions", nil, bearing("guess")).refuses(401, "unauthenticated")
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, storetest.New(t))
			read := b.key(t, "shop", "read")
			test.do(t, b, b.key(t, "shop", "sessions"))
			level, want := "clear", []string(nil)
			if test.want != "" {
				level, want = "caution", []string{test.want}
			}
			if got := b.doubts(t, read, "", level); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("it doubts %q, want %q", got, want)
			}
			b.doubts(t, read, "?unidentified=ignore", "clear")
			b.clock.advance(16 * time.Minute)
			b.doubts(t, read, "", "clear")
		})
	}
}
