package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"rollcall/server/jwt"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// TestRefusedRequestsThatLeaveRoomForDoubt sends what is refused before the store, and says for each
// whether somebody may be at work for all that.
func TestRefusedRequestsThatLeaveRoomForDoubt(t *testing.T) {
	const beat, crm, report = `{"sessionToken":"` + stranger + `"}`, "https://crm.example", `{"user":{"id":"ada"}}`
	page := header("Origin", crm)
	text := header("Content-Type", "text/plain")
	madeUp := bearing("rck_" + strings.Repeat("x", 43))
	for _, test := range []struct {
		name         string
		method, path string
		body         any
		opts         func(key string) []func(*http.Request)
		status       int
		code         string
		want         string // doubt
		lasts        time.Duration
	}{
		{"a heartbeat that is too large", "POST", heartbeatPath, `{"page":"` + strings.Repeat("x", 5000) + `"}`, sending(page), 413, "body_too_large", "refused_heartbeat  body_too_large " + crm, beatLasts},
		{"a heartbeat of another media type", "POST", heartbeatPath, beat, sending(page, header("Content-Type", "application/x-www-form-urlencoded")), 415, "unsupported_media_type", "refused_heartbeat  unsupported_media_type " + crm, beatLasts},
		{"a heartbeat that is no JSON", "POST", heartbeatPath, `token=x`, sending(page), 400, "invalid_request", "refused_heartbeat  invalid_request " + crm, beatLasts},
		{"a heartbeat of no page", "POST", heartbeatPath, `token=x`, sending(), 400, "invalid_request", "refused_heartbeat  invalid_request", beatLasts},
		{"a heartbeat of a page without a token", "POST", heartbeatPath, `{}`, sending(page), 400, "session_token_required", "", 0},
		{"as text, of a page without a token", "POST", heartbeatPath, `{}`, sending(page, text), 415, "unsupported_media_type", "", 0},
		{"as text, with the token as bearer", "POST", heartbeatPath, `{}`, sending(page, text, bearing(stranger)), 415, "unsupported_media_type", "refused_heartbeat  unsupported_media_type " + crm, beatLasts},
		{"a heartbeat by a cookie from a page of another site", "POST", heartbeatPath, `{}`, sending(page, header("Sec-Fetch-Site", "cross-site"), header("Cookie", "rollcall-8080="+stranger)), 403, "cross_origin", "", 0},
		{"a signed token of somebody else", "POST", heartbeatPath, `{"sessionToken":"eyJh.eyJz.c2ln"}`, sending(page), 404, "session_ended", "unknown_token  " + crm, beatLasts},

		{"a heartbeat to another host name", "POST", heartbeatPath, beat, sending(page, host("old.example")), 421, "unknown_host", "refused_heartbeat  unknown_host " + crm, beatLasts},
		{"a goodbye to another host name", "POST", heartbeatPath, `{"sessionToken":"` + stranger + `","leaving":true}`, sending(page, text, host("old.example")), 421, "unknown_host", "", 0},
		{"an idle page to another host name", "POST", heartbeatPath, `{"sessionToken":"` + stranger + `","idle_ms":600000}`, sending(page, host("old.example")), 421, "unknown_host", "", 0},
		{"a page without a token to another host name", "POST", heartbeatPath, `{}`, sending(page, host("old.example")), 421, "unknown_host", "", 0},
		{"what a browser asks before it, of another host name", "OPTIONS", heartbeatPath, nil, sending(preflight(crm, "POST"), host("old.example")), 421, "unknown_host", "refused_heartbeat  unknown_host " + crm, beatLasts},
		{"what a browser asks before it, of an origin that is not allowed", "OPTIONS", heartbeatPath, nil, sending(preflight(crm, "POST")), 204, "", "refused_heartbeat  origin_not_allowed " + crm, beatLasts},
		{"of an origin that is allowed", "OPTIONS", heartbeatPath, nil, sending(preflight(shop, "POST")), 204, "", "", 0},
		{"of an origin that is not allowed, about something else", "OPTIONS", "/admin/keys", nil, sending(preflight(crm, "POST")), 204, "", "", 0},
		{"a heartbeat below another path", "POST", "/rollcall" + heartbeatPath, beat, sending(page), 404, "not_found", "refused_heartbeat  not_found " + crm, beatLasts},
		{"a heartbeat to a path of the application's own", "POST", "/presence", beat, sending(page), 404, "not_found", "refused_heartbeat  not_found " + crm, beatLasts},
		{"to a path with a slash too many", "POST", heartbeatPath + "/", beat, sending(page), 404, "not_found", "refused_heartbeat  not_found " + crm, beatLasts},
		{"to a path that is another's", "POST", "/admin/stats", beat, sending(page), 405, "method_not_allowed", "refused_heartbeat  method_not_allowed " + crm, beatLasts},
		{"a goodbye to a path of the application's own", "POST", "/presence", `{"sessionToken":"` + stranger + `","leaving":true}`, sending(page), 404, "not_found", "", 0},
		{"what is no heartbeat", "POST", "/presence", `{"a":1}`, sending(page), 404, "not_found", "", 0},
		{"a look at the path of heartbeats", "GET", heartbeatPath, nil, sending(page), 405, "", "", 0},
		{"anything else of another host name", "POST", "/admin/keys", `{}`, sending(page, host("old.example")), 421, "unknown_host", "", 0},

		{"a report to another host name", "POST", "/admin/sessions", report, keyed(host("old.example")), 421, "unknown_host", "refused_report shop unknown_host", reportLasts},
		{"a report to another host name, with an unknown key", "POST", "/admin/sessions", report, sending(madeUp, host("old.example")), 421, "unknown_host", "refused_report  unknown_host", reportLasts},
		{"a report below another path", "POST", "/rollcall/admin/sessions", report, keyed(), 404, "not_found", "refused_report shop not_found", reportLasts},
		{"a report to a misspelt path", "POST", "/admin/session", report, keyed(), 404, "not_found", "refused_report shop not_found", reportLasts},
		{"a report to a path with a slash at its end", "POST", "/admin/sessions/", report, keyed(), 404, "not_found", "refused_report shop not_found", reportLasts},
		{"a report by another method", "PUT", "/admin/sessions", report, keyed(), 405, "method_not_allowed", "refused_report shop method_not_allowed", reportLasts},
		{"a stranger's look at a path that is not there", "POST", "/admin/session", report, sending(madeUp), 404, "not_found", "", 0},
		{"a question by an application's key at a path that is not there", "GET", "/admin/sesions", nil, keyed(), 404, "not_found", "", 0},
		{"a report without a key", "POST", "/admin/sessions", report, sending(), 401, "unauthenticated", "refused_report  unauthenticated", reportLasts},
		{"a report with something else than a key", "POST", "/admin/sessions", report, sending(bearing("guess")), 401, "unauthenticated", "refused_report  unauthenticated", reportLasts},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, storetest.New(t), allowing(shop))
			answer := do(t, b, test.method, test.path, test.body, test.opts(b.key(t, "shop", "sessions"))...)
			if answer.Code != test.status || test.code != "" && !strings.Contains(answer.Body.String(), `"`+test.code+`"`) {
				t.Errorf("it is answered %d, %s", answer.Code, answer.Body)
			}
			read := b.key(t, "shop", "read")
			if test.want == "" {
				b.doubts(t, read, "", "clear")
				return
			}
			if got := b.doubts(t, read, "", "caution"); fmt.Sprint(got) != fmt.Sprint([]string{test.want}) {
				t.Errorf("it doubts %q, want %q", got, test.want)
			}
			b.doubts(t, read, "?unidentified=ignore", "clear")
			b.clock.advance(test.lasts - time.Second)
			b.doubts(t, read, "", "caution")
			b.clock.advance(time.Second)
			b.doubts(t, read, "", "clear")
		})
	}
}

// How long the gate doubts.
const (
	beatLasts   = 150 * time.Second
	reportLasts = 15 * time.Minute
)

func sending(opts ...func(*http.Request)) func(string) []func(*http.Request) {
	return func(string) []func(*http.Request) { return opts }
}

// keyed sends the key of an application, too.
func keyed(opts ...func(*http.Request)) func(string) []func(*http.Request) {
	return func(key string) []func(*http.Request) { return append(opts, bearing(key)) }
}

// TestASignedTokenThatCanNotBeJudgedLeavesDoubt keeps the keys of an application's tokens from being read.
func TestASignedTokenThatCanNotBeJudgedLeavesDoubt(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var back atomic.Bool
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !back.Load() {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public()}}})
	}))
	defer site.Close()
	keys, err := jwt.NewKeys(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, storetest.New(t), func(c *Config) { c.Signed = jwt.Issuers{{App: "crm", Keys: keys}} })
	read := b.key(t, "ops", "read")
	key := jose.SigningKey{Algorithm: jose.ES256, Key: private}
	token, page := b.signsWith(t, key, `{}`), header("Origin", shop)
	do(t, b, "POST", heartbeatPath, `{"idle_ms":600000}`, bearing(token), page).refuses(503, "unavailable")
	do(t, b, "POST", heartbeatPath, `{"leaving":true}`, bearing(token), page).refuses(404, "session_ended")
	b.doubts(t, read, "", "clear")
	do(t, b, "POST", heartbeatPath, nil, bearing(token), page).refuses(503, "unavailable")
	if got := b.doubts(t, read, "", "caution"); fmt.Sprint(got) != "[refused_heartbeat  unavailable "+shop+"]" {
		t.Errorf("it doubts %q", got)
	}
	back.Store(true)
	b.clock.advance(time.Minute + time.Second) // after which its keys may be asked for again
	do(t, b, "POST", heartbeatPath, nil, bearing(token), page).wants(200)
	if got := b.doubts(t, read, "", "hold"); len(got) != 0 {
		t.Errorf("it doubts %q of somebody who is in", got)
	}
	do(t, b, "POST", heartbeatPath, nil, bearing(b.signsWith(t, key, `{"sub":"rollcall:root"}`)), page).refuses(400, "invalid_request")
	if got := b.doubts(t, read, "", "hold"); fmt.Sprint(got) != "[refused_heartbeat  invalid_request "+shop+"]" {
		t.Errorf("it doubts %q of somebody whose token names what can be no user", got)
	}
}

func TestAPageWhoseHeartbeatsAreRefusedIsForgottenWhenItCloses(t *testing.T) {
	b := newBench(t, storetest.New(t))
	read := b.key(t, "shop", "read")
	say := func(words string) {
		do(t, b, "POST", "/rollcall"+heartbeatPath, `{"sessionToken":"`+stranger+`"`+words+`}`).refuses(404, "not_found")
	}
	say("")
	b.doubts(t, read, "", "caution")
	say(`,"leaving":true`)
	b.doubts(t, read, "", "caution") // the next page has the grace of a goodbye
	b.clock.advance(presence.DefaultRules().LeaveGrace)
	b.doubts(t, read, "", "clear")
}

// TestOneWhoIsRefusedAgainAndAgainCountsOnce: a stranger can make the light doubt, as by a token that nobody
// reported, and no more.
func TestOneWhoIsRefusedAgainAndAgainCountsOnce(t *testing.T) {
	b := newBench(t, storetest.New(t))
	for range 50 {
		do(t, b, "POST", heartbeatPath, `token=x`).refuses(400, "invalid_request")
		do(t, b, "POST", "/admin/sessions", `{}`).refuses(401, "unauthenticated")
	}
	if got := b.doubts(t, b.key(t, "shop", "read"), "", "caution"); len(got) != 2 {
		t.Errorf("it doubts %q", got)
	}
	for i := range 300 {
		do(t, b, "POST", heartbeatPath, `token=x`, header("Origin", fmt.Sprintf("https://shop%d.example", i))).refuses(400, "invalid_request")
	}
	if n := do(t, b, "GET", "/admin/gate", nil, bearing(b.key(t, "shop", "read"))).wants(409)["counts"].(map[string]any)["unidentified"]; n != 2.0 {
		t.Errorf("%v are unidentified", n)
	}
}

func TestTheDoctorNamesWhatWasRefused(t *testing.T) {
	b := newBench(t, storetest.New(t))
	const none, noReport = "ok: No heartbeat was refused for how it was sent", "ok: No report of a login was refused"
	b.finds(t, "refusals", none)
	b.finds(t, "reports", noReport)
	do(t, b, "POST", heartbeatPath, `{"sessionToken":"`+stranger+`"}`, header("Origin", shop), host("old.example")).refuses(421, "unknown_host")
	b.finds(t, "refusals", "warning: 1 heartbeat was refused: unknown_host --host NAME")
	for range 2 {
		do(t, b, "POST", heartbeatPath, `x`, header("Origin", shop)).refuses(400, "invalid_request")
	}
	b.finds(t, "refusals", "warning: 2 heartbeats were refused: invalid_request")
	b.finds(t, "reports", noReport)
	do(t, b, "POST", "/admin/sessions/", `{}`, bearing(b.key(t, "shop", "sessions"))).refuses(404, "not_found")
	b.finds(t, "reports", "warning: 1 report of a login was refused: not_found")
	for range 2 {
		do(t, b, "POST", "/admin/sessions", `{}`).refuses(401, "unauthenticated")
	}
	b.finds(t, "reports", "warning: 2 reports of logins were refused: unauthenticated rollcall key create --app NAME --scope sessions")
	do(t, b, "OPTIONS", heartbeatPath, nil, preflight("https://app.example", "POST")) // of which the check of origins tells
	b.finds(t, "refusals", "warning: 2 heartbeats were refused: invalid_request")
	b.clock.advance(time.Hour)
	b.finds(t, "refusals", none)
	b.finds(t, "reports", noReport)
}

func TestTheDoctorNamesPagesWithoutAToken(t *testing.T) {
	b := newBench(t, storetest.New(t))
	_, token := b.person(t, b.key(t, "shop", "sessions"), "ada")
	const none = "ok: Pages that load the script send heartbeats"
	load := func(page string) {
		if got := do(t, b, "GET", "/heartbeat.js", nil, header("Referer", page)); got.Code != 200 {
			t.Fatalf("the script is answered %d", got.Code)
		}
	}
	beat := func(page string) {
		do(t, b, "POST", heartbeatPath, nil, bearing(token), header("Origin", page)).wants(200)
	}
	b.finds(t, "pages", none)
	load(shop + "/cart?id=7")
	load(shop + "/")
	b.finds(t, "pages", none)
	load(shop)
	b.finds(t, "pages", `warning: Pages of "https://shop.example" load the script, and are never heard`)
	beat(shop)
	b.finds(t, "pages", none)
	load(shop)
	b.finds(t, "pages", none)
	for range 3 { // whoever writes heartbeats by hand sends them from public pages, too
		do(t, b, "POST", heartbeatPath, `{}`, header("Origin", "https://crm.example")).refuses(400, "session_token_required")
	}
	b.finds(t, "pages", `warning: Pages of "https://crm.example" load the script, and are never heard`)
	b.doubts(t, b.key(t, "shop", "read"), "", "hold") // of nobody but her
	for _, page := range []string{"http://localhost:8080/login", "nonsense", "https://a;id/"} {
		for range 3 {
			load(page)
		}
	}
	beat("https://crm.example")
	b.finds(t, "pages", none)
}
