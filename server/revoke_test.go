package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/storetest"
)

// active returns whose sessions are active, latest first.
func (b *bench) active(t testing.TB, credential, query string) string {
	t.Helper()
	return strings.Join(listed(do(t, b, "GET", "/admin/sessions"+query, nil, bearing(credential)).wants(200)), " ")
}

func TestADryRunTellsWhoWouldGoAndEndsNothing(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	for i := range 25 {
		b.person(t, key, fmt.Sprint("u", i))
	}
	got := do(t, b, "POST", "/admin/sessions/revoke", `{"all": true, "dry_run": true}`, bearing(key)).wants(200)
	sample := got["sample"].([]any)
	if got["count"] != 25.0 || got["dry_run"] != true || len(sample) != 20 {
		t.Errorf("%v with %d of them", got["count"], len(sample))
	}
	if left := len(b.people(t, key, "")); left != 25 {
		t.Errorf("%d are left", left)
	}
	got = do(t, b, "POST", "/admin/sessions/revoke", `{"all": true}`, bearing(key)).wants(200)
	if got["count"] != 25.0 || got["dry_run"] != false {
		t.Errorf("the real run says %v", got)
	}
	if left := b.active(t, key, ""); left != "" {
		t.Errorf("left are %s", left)
	}
}

func TestRevokingByFilter(t *testing.T) {
	for body, left := range map[string]string{
		`{"user": "ada"}`:                                 "eve bob",
		`{"user": "ada", "app": "blog"}`:                  "eve bob ada",
		`{"app": "blog"}`:                                 "bob ada",
		`{"q": "EV"}`:                                     "bob ada",
		`{"organization": "O", "q": ""}`:                  "eve ada",
		`{"ip": "192.0.2.1"}`:                             "eve ada",
		`{"to": "2026-03-02T09:30:00Z"}`:                  "",
		`{"from": "2026-03-05T09:30:00+01:00"}`:           "eve bob ada",
		`{"all": true, "state": "online"}`:                "",
		`{"all": true, "except": ["BOB"]}`:                "bob",
		`{"app": "rollcall"}`:                             "eve bob ada",
		`{"user": "ada", "except": [], "dry_run": false}`: "eve bob",
	} {
		b := newBench(t, storetest.New(t))
		admin, shop, blog := b.admin(t), b.key(t, "shop", "sessions"), b.key(t, "blog", "sessions")
		b.person(t, shop, "ada")
		bob := do(t, b, "POST", "/admin/sessions", `{"user": {"id": "bob", "organization": "O"}, "ip_address": "192.0.2.1"}`, bearing(shop)).wants(201)["session"].(map[string]any)
		b.person(t, blog, "eve")
		do(t, b, "POST", "/admin/sessions/revoke", strings.ReplaceAll(body, "BOB", bob["id"].(string)), bearing(admin)).wants(200)
		reader := b.key(t, "watch", "read")
		if diff := cmp.Diff(sorted(left), sorted(b.active(t, reader, ""))); diff != "" {
			t.Errorf("%s leaves:\n%s", body, diff)
		}
		panel := b.active(t, reader, "?app=rollcall")
		if want := strings.Contains(body, "rollcall"); want != (panel == "") {
			t.Errorf("%s leaves of the panel %q", body, panel)
		}
	}
}

func TestRevocationsThatAreRefused(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	b.person(t, key, "ada")
	many := `"1"` + strings.Repeat(`,"1"`, 1000)
	for _, body := range []string{
		`{}`, `{"user": ""}`, `{"q": "  "}`, `{"all": false}`, `{"state": "online"}`, `{"except": ["1"]}`, `{"dry_run": true}`, `{"note": "all of them"}`,
		`{"all": true, "user": "ada"}`, `{"user": "ada", "state": "ended"}`, `{"user": "ada", "state": "all"}`, `{"user": "ada", "reason": "revoked"}`,
		`{"user": "ada", "except": ["x"]}`, `{"all": true, "except": [` + many + `]}`, `{"user": "ada", "from": "now"}`, `{"user": "ada", "to": "5"}`,
		`{"q": "\u0000"}`, `{"user": "ada", "note": "a\u0007"}`, `{"user": "ada", "dry_run": true, "note": "a\nb"}`, `{"users": "ada"}`, `{"user": ["ada"]}`,
		`{"user": "ada", "note": "` + strings.Repeat("x", 201) + `"}`,
	} {
		do(t, b, "POST", "/admin/sessions/revoke", body, bearing(key)).refuses(400, "invalid_request")
	}
	do(t, b, "POST", "/admin/sessions/revoke", nil, bearing(key)).refuses(415, "unsupported_media_type")
	do(t, b, "POST", "/admin/sessions/revoke", strings.Repeat(" ", 64<<10+1), bearing(key)).refuses(413, "body_too_large")
	if got := b.active(t, key, ""); got != "ada" {
		t.Errorf("active: %q", got)
	}
}

func TestWhoEndedASessionIsShown(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin, key := b.admin(t), b.key(t, "shop", "admin")
	_, token := b.person(t, key, "ada")
	bob, _ := b.person(t, key, "bob")
	eve, _ := b.person(t, key, "eve")
	do(t, b, "POST", "/admin/sessions/revoke", `{"user": "ada", "note": "Stolen \"laptop\""}`, cookied(b, admin), header("Sec-Fetch-Site", "same-origin")).wants(200)
	do(t, b, "DELETE", "/admin/sessions/"+bob+"?note=Left+us", nil, bearing(key)).wants(200)
	do(t, b, "DELETE", "/admin/sessions/"+eve+"?note="+strings.Repeat("x", 201), nil, bearing(key)).refuses(400, "invalid_request")
	do(t, b, "DELETE", "/admin/sessions/"+eve+"?reason=x", nil, bearing(key)).refuses(400, "invalid_request")
	if got := b.active(t, key, ""); got != "eve" {
		t.Errorf("active: %q", got)
	}
	if got := b.beats(t, token); got != "revoked" {
		t.Errorf("the next heartbeat: %q", got)
	}
	keys, err := b.store.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][2]string{
		"ada": {"user:" + store.AccountID("root"), `Stolen "laptop"`}, "bob": {"key:" + api.ID(keys[0].ID) + ":shop", "Left us"},
	}
	got := map[string][2]string{}
	for _, session := range do(t, b, "GET", "/admin/sessions?reason=revoked", nil, bearing(key)).wants(200)["sessions"].([]any) {
		session := session.(map[string]any)
		got[session["user"].(map[string]any)["id"].(string)] = [2]string{session["ended_by"].(string), session["end_note"].(string)}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func sorted(words string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}
