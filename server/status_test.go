package server

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store/storetest"
)

// statusIn picks what an answer says of a status.
func statusIn(body map[string]any) string {
	return fmt.Sprint(body["status"], "|", body["status_text"], "|", body["status_until"])
}

func TestClaimingAStatus(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.directory = "staff"
	shop, blog, read := b.key(t, "shop", "sessions"), b.key(t, "blog", "sessions"), b.key(t, "shop", "read")
	_, ada := b.person(t, shop, "ada")
	for _, step := range []struct {
		name, method, user, body string
		who                      string
		want                     string
	}{
		{"an app says busy", "PUT", "ada", `{"status":"busy","text":"On stage"}`, shop, "busy|On stage|<nil>"},
		{"busy goes before another app's away", "PUT", "ada", `{"status":"away"}`, blog, "busy|On stage|<nil>"},
		{"the person goes before every app", "PUT", "me", `{"status":"away","text":"Lunch","for_ms":60000}`, ada, "away|Lunch|2026-03-02T09:31:00.003Z"},
		{"by their own id, too", "PUT", "ada", `{"status":"busy","until":"2026-03-02T11:00:00+01:00"}`, ada, "busy||2026-03-02T10:00:00.000Z"},
		{"saying it twice is the same", "PUT", "ada", `{"status":"busy","until":"2026-03-02T11:00:00+01:00"}`, ada, "busy||2026-03-02T10:00:00.000Z"},
		{"available takes the own claim back only", "PUT", "me", `{"status":"available"}`, ada, "busy|On stage|<nil>"},
		{"of the apps that say the same the latest counts", "PUT", "ada", `{"status":"busy","text":"Later"}`, blog, "busy|Later|<nil>"},
		{"an app takes back its own", "DELETE", "ada", ``, blog, "busy|On stage|<nil>"},
		{"the last claim is gone", "DELETE", "ada", ``, shop, "available||<nil>"},
		{"taking back nothing is no error", "DELETE", "me", ``, ada, "available||<nil>"},
	} {
		t.Run(step.name, func(t *testing.T) {
			b.clock.advance(time.Millisecond)
			var body any
			if step.body != "" {
				body = step.body
			}
			got := do(t, b, step.method, "/admin/users/"+step.user+"/status", body, bearing(step.who)).wants(200)
			if diff := cmp.Diff(step.want, statusIn(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	do(t, b, "PUT", "/admin/users/ada/status", `{"status":"busy","text":"Live"}`, bearing(ada)).wants(200)
	list := do(t, b, "GET", "/admin/users/online?status=busy", nil, bearing(read)).wants(200)
	if got := statusIn(list["users"].([]any)[0].(map[string]any)); got != "busy|Live|<nil>" || list["count"] != 1.0 {
		t.Errorf("the list has %s, %v", got, list["counts"])
	}
	if me := do(t, b, "GET", "/auth/me", nil, bearing(ada)).wants(200); statusIn(me) != "busy|Live|<nil>" {
		t.Errorf("the person sees %v", me)
	}
}

func TestAStatusByATokenBesideThePasswordOfAProxy(t *testing.T) {
	b := newBench(t, storetest.New(t), allowing(shop))
	key := b.key(t, "shop", "sessions")
	_, ada := b.person(t, key, "ada")
	_, bob := b.person(t, key, "bob")
	own, proxy := func(token string) func(*http.Request) { return header("X-Rollcall-Session", token) }, header("Authorization", "Basic YWRhOnNlY3JldA==")
	claim := func(opts ...func(*http.Request)) result {
		return do(t, b, "PUT", "/admin/users/me/status", `{"status":"busy","text":"Live"}`, opts...)
	}
	for name, opts := range map[string][]func(*http.Request){
		"alone":                        {own(ada)},
		"beside a password":            {own(ada), proxy},
		"beside a token of the proxy":  {own(ada), bearing("of-the-proxy")},
		"beside the cookie of another": {own(ada), cookied(b, bob)},
	} {
		do(t, b, "DELETE", "/admin/users/me/status", nil, bearing(ada)).wants(200)
		claim(opts...).wants(200)
		if people := b.people(t, b.key(t, "shop", "read"), "?status=busy"); len(people) != 1 || people["ada"] == nil {
			t.Errorf("%s: busy are %v", name, people)
		}
	}
	claim(proxy).refuses(401, "unauthenticated")
	claim(own("nobody-has-this"), cookied(b, ada)).refuses(401, "unauthenticated")
	do(t, b, "POST", "/admin/sessions", `{"user":{"id":"eve"}}`, own(key)).refuses(401, "unauthenticated") // which is for sessions
	asked := do(t, b, "OPTIONS", "/admin/users/me/status", nil, header("Origin", shop), header("Access-Control-Request-Method", "PUT"), header("Access-Control-Request-Headers", "content-type,x-rollcall-session"))
	if asked.Header().Get("Access-Control-Allow-Headers") != "" {
		t.Error("a page of another origin may send it")
	}
}

func TestAStatusThatIsRefusedChangesNothing(t *testing.T) {
	b := newBench(t, storetest.New(t))
	shop := b.key(t, "shop", "sessions")
	_, ada := b.person(t, shop, "ada")
	b.person(t, shop, "bob")
	b.admin(t)
	do(t, b, "PUT", "/admin/users/me/status", `{"status":"busy","text":"Live"}`, bearing(ada)).wants(200)
	long := strings.Repeat("ä", 81)
	for name, c := range map[string]struct {
		user, body, who string
		status          int
		code            string
	}{
		"somebody else's status":           {"bob", `{"status":"away"}`, ada, 403, "forbidden"},
		"an account, by an app":            {"rollcall:root", `{"status":"away"}`, shop, 404, "user_not_found"},
		"an account that is not, likewise": {"rollcall:nobody", `{"status":"away"}`, shop, 404, "user_not_found"},
		"somebody unknown":                 {"nobody", `{"status":"away"}`, shop, 404, "user_not_found"},
		"me, by an app that has no such":   {"me", `{"status":"away"}`, shop, 404, "user_not_found"},
		"no status":                        {"me", `{}`, ada, 400, "invalid_request"},
		"an unknown status":                {"me", `{"status":"offline"}`, ada, 400, "invalid_request"},
		"a long text":                      {"me", `{"status":"away","text":"` + long + `"}`, ada, 400, "invalid_request"},
		"a control character":              {"me", `{"status":"away","text":"a\u0007"}`, ada, 400, "invalid_request"},
		"a NUL":                            {"me", `{"status":"away","text":"a\u0000"}`, ada, 400, "invalid_request"},
		"until in the past":                {"me", `{"status":"away","until":"2026-03-02T09:30:00Z"}`, ada, 400, "invalid_request"},
		"until too far ahead":              {"me", `{"status":"away","until":"2027-03-03T09:30:00.001Z"}`, ada, 400, "invalid_request"},
		"until that is no time":            {"me", `{"status":"away","until":"tomorrow"}`, ada, 400, "invalid_request"},
		"no duration":                      {"me", `{"status":"away","for_ms":0}`, ada, 400, "invalid_request"},
		"an endless duration":              {"me", `{"status":"away","for_ms":9223372036854775807}`, ada, 400, "invalid_request"},
		"both":                             {"me", `{"status":"away","for_ms":1000,"until":"2026-03-02T10:00:00Z"}`, ada, 400, "invalid_request"},
		"available with a text":            {"me", `{"status":"available","text":"x"}`, ada, 400, "invalid_request"},
		"an unknown field":                 {"me", `{"status":"away","note":"x"}`, ada, 400, "invalid_request"},
		"no JSON":                          {"me", `busy`, ada, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			do(t, b, "PUT", "/admin/users/"+c.user+"/status", c.body, bearing(c.who)).refuses(c.status, c.code)
			if got := statusIn(do(t, b, "GET", "/auth/me", nil, bearing(ada)).wants(200)); got != "busy|Live|<nil>" {
				t.Errorf("the status has become %s", got)
			}
		})
	}
	do(t, b, "PUT", "/admin/users/me/status", strings.Repeat(" ", 65<<10), bearing(ada)).refuses(413, "body_too_large")
	do(t, b, "PUT", "/admin/users/me/status", "status=busy", bearing(ada), header("Content-Type", "application/x-www-form-urlencoded")).refuses(415, "unsupported_media_type")
	do(t, b, "DELETE", "/admin/users/bob/status", nil, bearing(ada)).refuses(403, "forbidden")
	do(t, b, "DELETE", "/admin/users/nobody/status", nil, bearing(shop)).refuses(404, "user_not_found")
}

func TestAForeignPageCanNotClaimWithTheCookie(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := cookied(b, b.admin(t))
	do(t, b, "PUT", "/admin/users/me/status", `{"status":"busy"}`, admin, header("Sec-Fetch-Site", "cross-site")).refuses(403, "cross_origin")
	do(t, b, "PUT", "/admin/users/me/status", `{"status":"busy"}`, admin, header("Sec-Fetch-Site", "same-origin")).wants(200)
}

func TestAClaimRacedByItsTakingBackAndADeletion(t *testing.T) {
	b := newBench(t, storetest.New(t))
	shop := b.key(t, "shop", "sessions")
	b.person(t, shop, "ada")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				for _, call := range []struct{ method, body string }{{"PUT", `{"status":"busy"}`}, {"DELETE", ""}} {
					var body any
					if call.body != "" {
						body = call.body
					}
					got := do(t, b, call.method, "/admin/users/ada/status", body, bearing(shop))
					if got.Code != 200 && got.Code != 404 {
						t.Errorf("%s: %d %s", call.method, got.Code, got.Body)
					}
				}
			}
		})
	}
	do(t, b, "DELETE", "/admin/users/ada", nil, bearing(shop)).wants(200)
	wg.Wait()
	b.person(t, shop, "ada") // a new person of the same id begins without claims
	list := do(t, b, "GET", "/admin/users/online?status=busy", nil, bearing(b.key(t, "shop", "read"))).wants(200)
	if list["count"] != 0.0 {
		t.Errorf("%v", list)
	}
}
