package server

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/store/storetest"
)

func TestErasingAPerson(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin, key := b.admin(t), b.key(t, "shop", "admin")
	_, ada := b.person(t, key, "ada/1")
	_, bob := b.person(t, key, "bob")
	const address = "/admin/users/ada%2F1/erase"
	for _, body := range []any{`{}`, `{"confirm":"ada"}`, `{"confirm":"ada/1","x":1}`, ``} {
		do(t, b, "POST", address, body, cookied(b, admin)).refuses(400, "invalid_request")
	}
	do(t, b, "POST", address, strings.Repeat("x", 64<<10+1), cookied(b, admin)).refuses(413, "body_too_large")
	do(t, b, "POST", address, `{}`, cookied(b, admin), header("Content-Type", "text/plain")).refuses(415, "unsupported_media_type")
	do(t, b, "POST", address, `{}`, cookied(b, admin), header("Sec-Fetch-Site", "cross-site")).refuses(403, "cross_origin")
	do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(ada)).wants(200)

	got := do(t, b, "POST", address, `{"confirm":"ada/1"}`, cookied(b, admin)).wants(200)
	delete(got, "timestamp")
	want := map[string]any{"success": true, "sessions": 1.0, "claims": 0.0, "notices_seen": 0.0, "visits": 0.0, "account": false, "mentions": 0.0, "complete": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(ada)).refuses(404, "session_ended")
	do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(bob)).wants(200)
	do(t, b, "POST", address, `{"confirm":"ada/1"}`, cookied(b, admin)).refuses(404, "user_not_found")
	do(t, b, "POST", "/admin/users/rollcall:root/erase", `{"confirm":"rollcall:root"}`, cookied(b, admin)).refuses(409, "last_admin")
	b.person(t, key, "ada/1")
	if got := b.recorded(t, admin, "?action=user.erase"); len(got) != 1 || !strings.HasPrefix(got[0], "user:rollcall:root user.erase erased:") || !strings.HasSuffix(got[0], " 1 session; 0 entries") {
		t.Errorf("recorded: %v", got)
	}
}

func TestExportingAPerson(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin, key := b.admin(t), b.key(t, "shop", "admin")
	session, token := b.person(t, key, "ada")
	b.person(t, key, "bob")
	do(t, b, "PUT", "/admin/users/ada/status", `{"status":"busy","text":"Recording"}`, bearing(token)).wants(200)
	do(t, b, "POST", "/admin/sessions/end", map[string]any{"id": session}, bearing(key)).wants(200)
	for range 2 {
		b.person(t, key, "ada")
	}
	do(t, b, "GET", "/admin/users/nobody/export", nil, cookied(b, admin)).refuses(404, "user_not_found")
	answer := do(t, b, "GET", "/admin/users/ada/export", nil, cookied(b, admin))
	got := answer.wants(200)
	if name := answer.Header().Get("Content-Disposition"); name != `attachment; filename="person-20260302-093000.json"` {
		t.Error(name)
	}
	counts := map[string]int{}
	for part, rows := range got {
		if rows, ok := rows.([]any); ok {
			counts[part] = len(rows)
		}
	}
	want := map[string]int{"account": 0, "totp": 0, "recovery_codes": 0, "sessions": 3, "claims": 1, "notices_seen": 0, "visits": 0, "notices_made": 0, "drains": 0, "sessions_ended": 0, "audit": 1}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error(diff)
	}
	text, _ := json.Marshal(got)
	for part, fact := range map[string]string{"user": `"id":"ada"`, "a claim": `"text":"Recording"`, "a session": `"id":"` + session + `"`, "an end": `"end_reason":"logout"`,
		"a time": `"created_at":"2026-03-02T09:30:00Z"`, "the export": `"action":"user.export"`} {
		if !strings.Contains(string(text), fact) {
			t.Errorf("%s is missing in %s", part, text)
		}
	}
	for _, foreign := range []string{"sha256", "bob", token} {
		if strings.Contains(string(text), foreign) {
			t.Errorf("%s is in it", foreign)
		}
	}
}
