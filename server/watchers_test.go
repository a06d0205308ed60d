package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"rollcall/store"
	"rollcall/store/presence"
)

// following is a test of what becomes of one kind of reader.
type following struct {
	name   string
	open   func(t *testing.T, s *served) func(*http.Request)
	end    func(t *testing.T, s *served)
	reason string
}

func (s *served) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheSocketOfAnEndedCredentialIsClosedWithinASecond(t *testing.T) {
	asViewer := func(t *testing.T, s *served) func(*http.Request) {
		viewer := store.AccessViewer
		result, err := s.store.Login(t.Context(), s.now(), shopBackend, store.Login{User: store.UserInput{ID: "ada", Access: &viewer}})
		s.must(t, err)
		return bearing(result.Token)
	}
	asAccount := func(t *testing.T, s *served) func(*http.Request) {
		s.account(t, "second", store.AccessAdmin)
		return together(cookied(s.bench, s.account(t, "watch", store.AccessViewer)), header("Origin", "http://localhost"))
	}
	for _, test := range []following{
		{"logout", asViewer, func(t *testing.T, s *served) {
			s.sql(t, `UPDATE user_sessions SET is_active = false, ended_at = 1, end_reason = 'logout' WHERE user_id = 'shop/ada'`)
		}, "unauthenticated"},
		{"the user is deleted", asViewer, func(t *testing.T, s *served) {
			_, err := s.store.DeleteUser(t.Context(), s.now(), shopBackend, "ada")
			s.must(t, err)
		}, "unauthenticated"},
		{"access is taken away", asViewer, func(t *testing.T, s *served) {
			none := store.AccessNone
			_, err := s.store.PutUser(t.Context(), s.now(), shopBackend, store.UserInput{ID: "ada", Access: &none})
			s.must(t, err)
		}, "forbidden"},
		{"a panel session is revoked", asAccount, func(t *testing.T, s *served) {
			s.sql(t, `UPDATE user_sessions SET is_active = false, ended_at = 1, end_reason = 'revoked' WHERE user_id = 'rollcall:watch'`)
		}, "unauthenticated"},
		{"sessions are revoked by a filter", asViewer, func(t *testing.T, s *served) {
			n, err := s.store.RevokeAll(t.Context(), s.now(), store.SessionFilter{App: "shop", Limit: 1}, store.Ending{Reason: presence.EndRevoked})
			if s.must(t, err); n != 1 {
				t.Fatalf("%d were revoked", n)
			}
		}, "unauthenticated"},
		{"the account is deleted", asAccount, func(t *testing.T, s *served) {
			s.must(t, s.store.DeleteAccount(t.Context(), s.now(), "user:root", "rollcall:watch"))
		}, "unauthenticated"},
		{"the key is deleted", func(t *testing.T, s *served) func(*http.Request) { return bearing(s.key(t, "panel", "read")) },
			func(t *testing.T, s *served) { s.sql(t, `DELETE FROM api_keys`) }, "unauthenticated"},
		{"the key that reported it is deleted", func(t *testing.T, s *served) func(*http.Request) {
			key, _, err := s.store.CreateKey(t.Context(), s.now(), "user:root", "shop", "", store.Scopes{store.ScopeAdmin})
			s.must(t, err)
			viewer := store.AccessViewer
			result, err := s.store.Login(t.Context(), s.now(), store.By{App: "shop", KeyID: key.ID, Grant: store.AccessAdmin},
				store.Login{User: store.UserInput{ID: "ada", Access: &viewer}})
			s.must(t, err)
			return bearing(result.Token)
		}, func(t *testing.T, s *served) { s.sql(t, `DELETE FROM api_keys`) }, "forbidden"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := serving(t)
				r, _ := s.follow(t, "", test.open(t, s))
				bystander, _ := s.follow(t, "", together(cookied(s.bench, s.account(t, "bystander", store.AccessViewer)), header("Origin", "http://localhost")))
				test.end(t, s)
				time.Sleep(time.Second)
				before := time.Now()
				r.closedWith(websocket.StatusPolicyViolation, test.reason)
				if waited := time.Since(before); waited > 0 {
					t.Errorf("it took %s more than a second", waited)
				}
				s.enter(t, "cleo")
				for e := bystander.next(); e.String() != "online cleo"; e = bystander.next() {
				}
				s.stop()
				s.must(t, <-s.ended)
			})
		})
	}
}

func TestTheSocketOfAnExpiredSessionIsClosed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rules := presence.DefaultRules()
		rules.SessionTTL = 10 * time.Minute
		s := servingBy(t, rules)
		panel := s.account(t, "watch", store.AccessViewer)
		r, _ := s.follow(t, "", together(cookied(s.bench, panel), header("Origin", "http://localhost")))
		time.Sleep(9 * time.Minute)
		s.beat(t, panel, store.Beat{}) // its page is open: it lives on
		time.Sleep(9 * time.Minute)
		r.tells()
		time.Sleep(time.Minute)
		r.closedWith(websocket.StatusPolicyViolation, "unauthenticated")
		s.stop()
		s.must(t, <-s.ended)
	})
}

func TestReadersAreToldOfARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		key := bearing(s.key(t, "panel", "read"))
		a, _ := s.follow(t, "", key)
		b, _ := s.follow(t, "", key)
		go s.stop()
		a.closedWith(websocket.StatusServiceRestart, "the server stops")
		b.closedWith(websocket.StatusServiceRestart, "the server stops")
		s.must(t, <-s.ended)
	})
}

func TestATokenMayComeAsFirstMessage(t *testing.T) {
	const origin = "https://app.example"
	allow := func(c *Config) { c.AllowedOrigins = []string{origin} }
	first := func(t *testing.T, s *served, message string) *reader {
		t.Helper()
		conn, _, err := s.dial(t, "", header("Origin", origin))
		s.must(t, err)
		if message != "" {
			s.must(t, conn.Write(t.Context(), websocket.MessageText, []byte(message)))
		}
		return listen(t, conn)
	}
	bubble(t, func(t *testing.T) {
		s := serving(t, allow)
		key, user := s.key(t, "panel", "read"), s.enter(t, "ada")
		if hello := first(t, s, fmt.Sprintf(`{"token":%q}`, key)).next(); hello.Type != "hello" {
			t.Errorf("the first message is %v", hello)
		}
		first(t, s, fmt.Sprintf(`{"token":%q}`, user)).closedWith(websocket.StatusPolicyViolation, "forbidden")
		for _, wrong := range []string{`{"token":"rcs_nobody-has-this"}`, `{"token":""}`, `{"token":7}`, `token`, `[]`, `{}`} {
			first(t, s, wrong).closedWith(websocket.StatusPolicyViolation, "unauthenticated")
		}
		first(t, s, `{"token":"`+strings.Repeat("x", 5000)+`"}`).closedWith(websocket.StatusMessageTooBig, "read limited at 4097 bytes")
		waiting := first(t, s, "")
		before := time.Now()
		waiting.closedWith(websocket.StatusPolicyViolation, "unauthenticated")
		if waited := time.Since(before); waited != 5*time.Second {
			t.Errorf("a socket without a token is closed after %s", waited)
		}
		talker := first(t, s, fmt.Sprintf(`{"token":%q}`, key))
		talker.next()
		s.must(t, talker.conn.Write(t.Context(), websocket.MessageText, []byte(`{}`)))
		talker.closedWith(websocket.StatusPolicyViolation, "unexpected_message")
		s.stop()
		s.must(t, <-s.ended)
	})
}

// hostile are origins that are not ours, nor allowed, though some look like it.
var hostile = []string{
	"null", "https://evil.example", "http://evil.example", "https://app.example.evil.example", "https://evilapp.example",
	"https://app.example:8443", "http://app.example", "https://app.example/", "https://APP.example.", "https://app.example.",
	"https://sub.app.example", "https://app.example@evil.example", "https://app%2eexample", "https://app.example#", "https://app.example?x",
	"https://rollcall.example.evil.example", "https://evil.example/rollcall.example", "https://evil.example#rollcall.example",
	"https://rollcall.example@evil.example", "https://rollcall.example:444", "https://rollcall.examplee", "https://xrollcall.example",
	"//rollcall.example", "rollcall.example", "localhost", "http://localhost.evil.example", "http://localhost:81", "http://127.0.0.1:81",
	"http://[::1]", "file://", "data:", "about:blank", "chrome-extension://abcdef", "moz-extension://abcdef", "https://", "http:///",
	"ftp://localhost", "evil://localhost", "://localhost", "ws://localhost", "//localhost", " https://evil.example", "https://app.example https://evil.example", "https://app.example,https://evil.example", "*",
}

func TestNoHostileOriginFollowsTheList(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t, func(c *Config) { c.AllowedOrigins = []string{"https://app.example"} })
		cookie, key := cookied(s.bench, s.admin(t)), bearing(s.key(t, "panel", "admin"))
		for _, origin := range hostile {
			for name, credential := range map[string]func(*http.Request){"cookie": cookie, "key": key} {
				conn, res, err := s.dial(t, "", credential, header("Origin", origin))
				if err == nil {
					_ = conn.CloseNow()
					t.Errorf("a page of %q follows the list with a %s", origin, name)
				} else if res == nil || res.StatusCode != 403 {
					t.Errorf("a page of %q with a %s: %v", origin, name, err)
				}
			}
		}
		// An allowed page is not ours: its visitor's cookie does not count there.
		conn, _, err := s.dial(t, "", cookie, header("Origin", "https://app.example"))
		s.must(t, err)
		r := listen(t, conn)
		r.closedWith(websocket.StatusPolicyViolation, "unauthenticated")
		// Nor does one without an origin, which is no browser's.
		conn, _, err = s.dial(t, "", cookie)
		s.must(t, err)
		r = listen(t, conn)
		r.closedWith(websocket.StatusPolicyViolation, "unauthenticated")
		s.follow(t, "", cookie, header("Origin", "http://localhost"))
		s.stop()
		s.must(t, <-s.ended)
	})
}
