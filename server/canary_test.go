package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// canaries are secrets by what they are. None may be found where somebody else
// looks.
type canaries map[string]string

func (c canaries) in(t testing.TB, place, text string) {
	t.Helper()
	for name, secret := range c {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows the %s:\n%.300s", place, name, text)
		}
	}
}

// spy calls like do, and looks for canaries in what others than the caller may
// come to see: errors and addresses.
type spy struct {
	*bench
	secrets canaries
}

func (s *spy) do(t testing.TB, method, path string, body any, opts ...func(*http.Request)) result {
	t.Helper()
	got := do(t, s.bench, method, path, body, opts...)
	s.secrets.in(t, method+" "+path+": Location", got.Header().Get("Location"))
	if got.Code >= 300 {
		s.secrets.in(t, method+" "+path+": the error", got.Body.String())
	}
	return got
}

func TestSecretsStayWhereTheyBelong(t *testing.T) {
	folder := t.TempDir()
	b := newBench(t, storetest.Open(t, folder, presence.DefaultRules()))
	s := &spy{bench: b, secrets: canaries{
		"password": "canary-password-5b1e", "wrong password": "canary-wrong-password-77c0", "reported token": "canary-reported-token-91ad-and-more", "session key": "canary-session-key-3c1b",
		"token in a page's address": "canary-page-token-0e44", "unknown token": "canary-unknown-token-3f3f", "set-up code": b.setUpCode(t),
	}}
	s.setUpAndSignIn(t)
	s.reportAndBeat(t)
	for name, opt := range map[string]func(*http.Request){
		"as it is": func(*http.Request) {}, "for another host": host("evil.example"), "to an impatient caller": impatient(t),
		"as text": header("Content-Type", "text/plain"), "from another site": header("Sec-Fetch-Site", "cross-site"),
	} {
		t.Run("a wrong request "+name, func(t *testing.T) { s.blunder(t, opt) })
	}
	s.secrets.in(t, "the log", b.logs.String())
	if !strings.Contains(b.logs.String(), "context canceled") {
		t.Error("nothing went wrong inside, which this test needs")
	}
	held := stored(t, folder)
	s.secrets.in(t, "the database", held)
	for _, known := range []string{"canary-account", "canary-user", "/canary-page"} {
		if !strings.Contains(held, known) {
			t.Errorf("%s is not in the database, so this test looks in the wrong place", known)
		}
	}
}

func (s *spy) setUpAndSignIn(t *testing.T) {
	s.do(t, "POST", "/setup", map[string]any{"code": s.secrets["set-up code"], "name": "canary-account", "password": "short"}).refuses(400, "invalid_request")
	made := s.do(t, "POST", "/setup", map[string]any{"code": s.secrets["set-up code"], "name": "canary-account", "password": s.secrets["password"]})
	made.wants(201)
	s.signIn(t, "canary-account", s.secrets["wrong password"]).refuses(401, "invalid_credentials")
	in := s.signIn(t, "canary-account", s.secrets["password"])
	in.wants(200)
	for _, cookie := range append(made.Result().Cookies(), in.Result().Cookies()...) {
		s.secrets[fmt.Sprint("cookie ", cookie.Name, len(s.secrets))] = cookie.Value
	}
	code := s.SignInCode(store.AccountID("canary-account"))
	s.secrets["sign-in code"] = code
	s.do(t, "POST", "/auth/login", map[string]any{"code": code}).wants(200)
	s.do(t, "POST", "/auth/login", map[string]any{"code": code}).refuses(401, "invalid_credentials")
	s.secrets["link"] = s.invite(t, "canary-guest")
	s.do(t, "POST", "/auth/link", map[string]any{"secret": s.secrets["link"]}).wants(200)
	s.secrets["chosen password"] = "canary-chosen-password-2d60"
	s.do(t, "POST", "/auth/link/password", map[string]any{"secret": s.secrets["link"], "password": s.secrets["chosen password"]}).wants(200)
	key := s.do(t, "POST", "/admin/keys", `{"app":"shop","scopes":["admin"]}`, with(in.Result().Cookies())).wants(201)["key"]
	s.secrets["key"] = key.(map[string]any)["secret"].(string)
}

func (s *spy) reportAndBeat(t *testing.T) {
	_, s.secrets["minted token"] = s.person(t, s.secrets["key"], "canary-user")
	login := map[string]any{"user": map[string]any{"id": "canary-user"}, "session_token": s.secrets["reported token"]}
	s.do(t, "POST", "/admin/sessions", login, bearing(s.secrets["key"])).wants(201)
	login["session_key"] = s.secrets["session key"]
	s.do(t, "POST", "/admin/sessions", login, bearing(s.secrets["key"])).wants(200)
	s.do(t, "POST", "/admin/sessions/check", map[string]any{"session_key": s.secrets["session key"]}, bearing(s.secrets["key"])).wants(200)
	s.do(t, "POST", "/admin/users/heartbeat", map[string]any{
		"sessionToken": s.secrets["minted token"], "page": "https://x:" + s.secrets["password"] + "@shop.example/canary-page?token=" + s.secrets["token in a page's address"],
	}).wants(200)
	s.do(t, "POST", "/admin/users/heartbeat", map[string]any{"sessionToken": s.secrets["unknown token"]}).refuses(404, "session_ended")
}

// blunder sends every secret to where it does not belong.
func (s *spy) blunder(t *testing.T, opt func(*http.Request)) {
	for name, secret := range s.secrets {
		for _, body := range []any{
			map[string]any{"session_token": secret, "id": secret}, map[string]any{"app": secret, "scopes": []string{secret}},
			map[string]any{"user": map[string]any{"id": "x", "access": secret}}, map[string]any{"code": secret, "name": secret, "password": secret},
			`{"password":"` + secret, `{"session_token":"` + secret + `","x":}`, `"` + secret + `"`, map[string]any{"idle_ms": secret}, map[string]any{"secret": secret, "password": "short"},
		} {
			for _, path := range []string{"/setup", "/auth/login", "/admin/sessions", "/admin/sessions/may", "/admin/sessions/check", "/admin/sessions/end", "/admin/keys", "/admin/accounts", "/admin/users/heartbeat", "/auth/link", "/auth/link/password"} {
				if path == "/auth/login" && name == "password" {
					continue
				}
				got := do(t, s.bench, "POST", path, body, bearing(s.secrets["key"]), opt, from(fmt.Sprintf("10.%d.1.1", len(secret))))
				if strings.HasPrefix(path, "/admin/keys") && got.Code == 201 {
					continue // whoever names an app by a secret has told it
				}
				if got.Code >= 300 {
					s.secrets.in(t, "POST "+path+": the error", got.Body.String())
				}
			}
		}
		for _, path := range []string{"/" + secret, "/admin/keys/" + secret, "/static/" + secret, "/?token=" + secret, "/admin/users/online?sort=" + secret + "&q=" + secret} {
			s.do(t, "GET", path, nil, bearing(secret), opt)
		}
	}
}

// impatient has gone before the answer comes.
func impatient(t testing.TB) func(*http.Request) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return func(r *http.Request) { *r = *r.WithContext(ctx) }
}
