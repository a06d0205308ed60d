package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/presence"
)

// visitor is the browser of an end user on its live connection.
type visitor struct {
	t    *testing.T
	conn *websocket.Conn
}

// visits opens the live connection; opts adjust the request's head.
func (s *served) visits(t *testing.T, opts ...func(*http.Request)) (*visitor, *http.Response, error) {
	t.Helper()
	head := &http.Request{Header: http.Header{}, URL: &url.URL{Scheme: "http", Host: "localhost", Path: "/live"}, Host: "localhost"}
	for _, opt := range opts {
		opt(head)
	}
	conn, res, err := websocket.Dial(t.Context(), head.URL.String(), &websocket.DialOptions{HTTPClient: s.client, HTTPHeader: head.Header})
	if err != nil {
		return nil, res, err
	}
	answered.Store("GET /live "+fmt.Sprint(res.StatusCode), true)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &visitor{t, conn}, res, nil
}

func (v *visitor) sends(text string) {
	v.t.Helper()
	if err := v.conn.Write(v.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		v.t.Fatal(err)
	}
}

// next waits for a message and returns what is news in it, or how the connection
// was closed. It fails where a message is not as documented.
func (v *visitor) next() string {
	v.t.Helper()
	_, text, err := v.conn.Read(v.t.Context())
	if err != nil {
		return fmt.Sprint("closed ", websocket.CloseStatus(err))
	}
	doc, err := document()
	var value any
	var m api.OwnEvent
	if err == nil {
		err = json.Unmarshal(text, &value)
	}
	if err == nil {
		err = doc.Components.Schemas["VisitMessage"].Value.VisitJSON(value)
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		v.t.Fatalf("%v in %s", err, text)
	}
	words := []string{m.Type}
	for _, n := range m.Notices {
		words = append(words, n.Message)
	}
	return strings.TrimSpace(strings.Join(words, " ") + " " + m.Reason)
}

func (v *visitor) tells(want string) {
	v.t.Helper()
	before := time.Now()
	if got := v.next(); got != want {
		v.t.Fatalf("told is %q, want %q", got, want)
	}
	if waited := time.Since(before); waited > time.Second {
		v.t.Errorf("%q took %v", want, waited)
	}
}

// visiting runs a test on a server.
func visiting(t *testing.T, f func(t *testing.T, s *served)) {
	t.Helper()
	bubble(t, func(t *testing.T) {
		s := serving(t)
		f(t, s)
		s.stop()
		s.must(t, <-s.ended)
	})
}

func TestALiveConnectionTellsNoticesAtOnce(t *testing.T) {
	visiting(t, func(t *testing.T, s *served) {
		admin := s.key(t, "ops", "admin")
		s.key(t, "blog", "sessions")
		ada, _, err := s.visits(t, bearing(s.enter(t, "ada")))
		s.must(t, err)
		ada.tells("notices")
		id := s.announces(t, admin, `{"message":"hello"}`)
		ada.tells("notices hello")
		s.announces(t, admin, `{"message":"elsewhere","app":"blog"}`)
		time.Sleep(2 * time.Second)
		late, _, err := s.visits(t, bearing(s.enter(t, "late")))
		s.must(t, err)
		late.tells("notices hello")
		do(t, s.bench, "DELETE", "/admin/notices/"+id, nil, bearing(admin)).wants(200)
		ada.tells("notices") // and nothing of the one for others in between
		late.tells("notices")
		do(t, s.bench, "PUT", "/admin/drain", `{"message":"draining","end_sessions_in_ms":600000}`, bearing(admin)).wants(200)
		ada.tells("notices draining")
	})
}

// TestATokenOfThePageWinsOverThePanelsCookie is of a site that has Rollcall below a path:
// the browser sends the cookie of whoever is signed in to the panel with its pages' requests.
func TestATokenOfThePageWinsOverThePanelsCookie(t *testing.T) {
	visiting(t, func(t *testing.T, s *served) {
		root := s.admin(t)
		asked := func(r *http.Request) { r.URL.RawQuery = "auth=message" }
		for name, cookie := range map[string]string{"a session": root, "a session that has ended": "gone"} {
			ada, _, err := s.visits(t, header("Origin", "http://localhost"), cookied(s.bench, cookie), asked)
			s.must(t, err)
			ada.sends(`{"token":"` + s.enter(t, "ada") + `"}`)
			ada.tells("notices")
			id := s.announces(t, s.key(t, "ops", "admin"), `{"message":"to the shop `+name+`","app":"shop"}`)
			ada.tells("notices to the shop " + name)
			do(t, s.bench, "DELETE", "/admin/notices/"+id, nil, bearing(root)).wants(200)
		}
	})
}

func TestALiveConnectionTellsOfNobodyElse(t *testing.T) {
	visiting(t, func(t *testing.T, s *served) {
		ada, _, err := s.visits(t, bearing(s.enter(t, "ada")))
		s.must(t, err)
		ada.tells("notices")
		bob := s.enter(t, "bob")
		s.beat(t, bob, store.Beat{Page: text("/b")})
		_, err = s.store.EndByToken(t.Context(), s.now(), "shop", bob, presence.EndLogout)
		s.must(t, err)
		time.Sleep(30*time.Second - 5*time.Second) // a ping would need somebody who reads
		s.announces(t, s.key(t, "ops", "admin"), `{"message":"next"}`)
		ada.tells("notices next")
	})
}

func TestAnEndedSessionIsToldWithinASecond(t *testing.T) {
	for name, test := range map[string]struct {
		end    func(t *testing.T, s *served, token string)
		reason string
	}{
		"logout": {func(t *testing.T, s *served, token string) {
			_, err := s.store.EndByToken(t.Context(), s.now(), "shop", token, presence.EndLogout)
			s.must(t, err)
		}, "logout"},
		"revoked": {func(t *testing.T, s *served, _ string) {
			_, err := s.store.RevokeAll(t.Context(), s.now(), store.SessionFilter{User: "shop/ada"}, store.Ending{Reason: presence.EndRevoked})
			s.must(t, err)
		}, "revoked"},
		"deleted": {func(t *testing.T, s *served, _ string) {
			_, err := s.store.DeleteUser(t.Context(), s.now(), shopBackend, "ada")
			s.must(t, err)
		}, "unknown"},
		"erased": {func(t *testing.T, s *served, _ string) {
			_, err := s.store.Erase(t.Context(), s.now(), store.ActorCLI, "shop/ada")
			s.must(t, err)
		}, "unknown"},
		"by the shell": {func(t *testing.T, s *served, _ string) {
			s.sql(t, `UPDATE user_sessions SET is_active = false, ended_at = 1, end_reason = 'evicted' WHERE user_id = 'shop/ada'`)
		}, "evicted"},
		"with the log trimmed meanwhile": {func(t *testing.T, s *served, _ string) {
			s.sql(t, `UPDATE user_sessions SET is_active = false, ended_at = 1, end_reason = 'revoked' WHERE user_id = 'shop/ada';
				INSERT INTO changes (user_id) VALUES ('x'); DELETE FROM changes WHERE user_id IS NOT 'x'`)
		}, "revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			visiting(t, func(t *testing.T, s *served) {
				token := s.enter(t, "ada")
				ada, _, err := s.visits(t, bearing(token))
				s.must(t, err)
				bob, _, err := s.visits(t, bearing(s.enter(t, "bob")))
				s.must(t, err)
				ada.tells("notices")
				bob.tells("notices")
				time.Sleep(3 * time.Second)
				test.end(t, s, token)
				ada.tells("session_ended " + test.reason)
				if got := ada.next(); got != fmt.Sprint("closed ", websocket.StatusPolicyViolation) {
					t.Errorf("then it is %s", got)
				}
				s.announces(t, s.key(t, "ops", "admin"), `{"message":"for who stays"}`)
				bob.tells("notices for who stays")
			})
		})
	}
}

func TestALiveConnectionOutlivesWhatHeartbeatsExtendAndNothingElse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rules := presence.DefaultRules()
		rules.SessionTTL = 10 * time.Minute
		s := servingBy(t, rules)
		token := s.enter(t, "ada")
		ada, _, err := s.visits(t, bearing(token))
		s.must(t, err)
		ada.tells("notices")
		done := make(chan string, 1)
		begun := time.Now()
		go func() { done <- ada.next() }()
		time.Sleep(9 * time.Minute)
		s.beat(t, token, store.Beat{})
		if got := <-done; got != "session_ended expired" {
			t.Errorf("told is %s", got)
		}
		if lived := time.Since(begun); lived < 19*time.Minute || lived > 19*time.Minute+30*time.Second {
			t.Errorf("it was told after %v", lived)
		}
		s.stop()
		s.must(t, <-s.ended)
	})
}

func TestWhoMayHaveALiveConnection(t *testing.T) {
	visiting(t, func(t *testing.T, s *served) {
		token, panel := s.enter(t, "ada"), s.account(t, "watch", store.AccessViewer)
		own, foreign := header("Origin", "http://localhost"), header("Origin", "https://evil.example")
		for name, test := range map[string]struct {
			opts   []func(*http.Request)
			status int
		}{
			"a token":                            {[]func(*http.Request){bearing(token)}, 101},
			"the cookie from our own page":       {[]func(*http.Request){cookied(s.bench, panel), own}, 101},
			"the cookie from another page":       {[]func(*http.Request){cookied(s.bench, panel), foreign}, 403},
			"a token from another page":          {[]func(*http.Request){bearing(token), foreign}, 403},
			"a key":                              {[]func(*http.Request){bearing(s.key(t, "ops", "admin"))}, 403},
			"an unknown token":                   {[]func(*http.Request){bearing("unknown")}, 401},
			"nothing yet, from a page of ours":   {[]func(*http.Request){own}, 101},
			"nothing yet, from a page unknown":   {[]func(*http.Request){foreign}, 403},
			"a token in the address is no token": {nil, 101},
		} {
			_, res, err := s.visits(t, test.opts...)
			if res == nil || res.StatusCode != test.status {
				t.Errorf("%s: %v, %v, want %d", name, res, err, test.status)
			}
		}
	})
}

func TestTheFirstMessageMayBringTheToken(t *testing.T) {
	visiting(t, func(t *testing.T, s *served) {
		token := s.enter(t, "ada")
		for first, want := range map[string]string{
			`{"token":"` + token + `"}`:                     "notices",
			`{"token":"unknown"}`:                           "session_ended unknown",
			`{"token":"` + s.key(t, "ops", "admin") + `"}`:  fmt.Sprint("closed ", websocket.StatusPolicyViolation),
			`{"token":""}`:                                  fmt.Sprint("closed ", websocket.StatusPolicyViolation),
			`nonsense`:                                      fmt.Sprint("closed ", websocket.StatusPolicyViolation),
			`{"token":"` + strings.Repeat("x", 5000) + `"}`: fmt.Sprint("closed ", websocket.StatusMessageTooBig),
		} {
			ada, _, err := s.visits(t)
			s.must(t, err)
			ada.sends(first)
			if got := ada.next(); got != want {
				t.Errorf("after %.30s: %s, want %s", first, got, want)
			}
		}
		silent, _, err := s.visits(t)
		s.must(t, err)
		before := time.Now()
		if got := silent.next(); got != fmt.Sprint("closed ", websocket.StatusPolicyViolation) || time.Since(before) > 6*time.Second {
			t.Errorf("who says nothing is %s after %v", got, time.Since(before))
		}
		chatty, _, err := s.visits(t, bearing(token))
		s.must(t, err)
		chatty.tells("notices")
		chatty.sends("hello")
		if got := chatty.next(); got != fmt.Sprint("closed ", websocket.StatusPolicyViolation) {
			t.Errorf("who speaks is %s", got)
		}
	})
}
