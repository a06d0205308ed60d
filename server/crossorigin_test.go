package server

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

func TestAPageOfAnotherOriginChangesNothingWithACookie(t *testing.T) {
	folder := t.TempDir()
	g := &gate{bench: newBench(t, storetest.Open(t, folder, presence.DefaultRules()), behindProxy("2001:db8::/32")), keys: map[string]string{}}
	g.account(t, "root", store.AccessAdmin)
	g.account(t, "watch", store.AccessViewer)
	t.Run("with a cookie", func(t *testing.T) { g.refusesOtherOrigins(t, folder, cookied(g.bench, g.panelToken(t, "root"))) })
	t.Run("by the word of the proxy", func(t *testing.T) { g.refusesOtherOrigins(t, folder, header("Remote-User", "ada")) })
}

func (g *gate) refusesOtherOrigins(t *testing.T, folder string, admin func(*http.Request)) {
	for name, page := range map[string]func(*http.Request){
		"of another site":               header("Sec-Fetch-Site", "cross-site"),
		"of a neighbour of ours":        header("Sec-Fetch-Site", "same-site"),
		"of an older browser":           header("Origin", "https://evil.example"),
		"of another port":               header("Origin", "http://localhost:3000"),
		"of another scheme":             header("Origin", "evil://localhost:8080"),
		"in a sandbox":                  header("Origin", "null"),
		"that claims to be of our site": together(header("Origin", "http://localhost:8080"), header("Sec-Fetch-Site", "cross-site")),
	} {
		t.Run("a page "+name, func(t *testing.T) {
			for _, route := range g.routes() {
				if route.method == "GET" {
					continue
				}
				path, body := g.request(t, route.method+" "+route.path)
				before := contents(t, folder)
				got := do(t, g.bench, route.method, path, body, admin, page, g.fromElsewhere())
				got.refuses(http.StatusForbidden, "cross_origin")
				if cookies := got.Result().Cookies(); len(cookies) > 0 {
					t.Errorf("%s %s set cookies: %v", route.method, path, cookies)
				}
				if diff := cmp.Diff(before, contents(t, folder)); diff != "" {
					t.Errorf("%s %s changed the database:\n%s", route.method, path, diff)
				}
			}
		})
	}
}

func together(opts ...func(*http.Request)) func(*http.Request) {
	return func(r *http.Request) {
		for _, opt := range opts {
			opt(r)
		}
	}
}

func TestAPageOfAnotherOriginDoesNotSignAnybodyOutWithoutTheCookieEither(t *testing.T) {
	b := newBench(t, storetest.New(t))
	got := do(t, b, "POST", "/auth/logout", nil, header("Sec-Fetch-Site", "cross-site"))
	got.refuses(http.StatusForbidden, "cross_origin") // SameSite withholds the cookie; the answer would still delete it
	if cookies := got.Result().Cookies(); len(cookies) > 0 {
		t.Errorf("it set cookies: %v", cookies)
	}
}

func TestABearerTokenNeedsNoOriginOfOurs(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "sessions")
	do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"}}`, bearing(key), header("Sec-Fetch-Site", "cross-site")).wants(201)
}
