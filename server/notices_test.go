package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/store"
	"rollcall/store/storetest"
)

// announces posts a notice and returns its id.
func (b *bench) announces(t testing.TB, admin string, body any) string {
	t.Helper()
	return do(t, b, "POST", "/admin/notices", body, bearing(admin)).wants(201)["notice"].(map[string]any)["id"].(string)
}

// shown beats and lists the messages that the answer brings.
func (b *bench) shown(t testing.TB, token string, body any) string {
	t.Helper()
	var messages []string
	for _, n := range do(t, b, "POST", "/admin/users/heartbeat", body, bearing(token)).wants(200)["notices"].([]any) {
		messages = append(messages, n.(map[string]any)["message"].(string))
	}
	return strings.Join(messages, ", ")
}

// listed is the first notice in the list.
func (b *bench) listedNotice(t testing.TB, key string) map[string]any {
	t.Helper()
	return do(t, b, "GET", "/admin/notices", nil, bearing(key)).wants(200)["notices"].([]any)[0].(map[string]any)
}

func TestAHeartbeatBringsTheNotices(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := b.key(t, "ops", "admin")
	_, ada := b.person(t, b.key(t, "shop", "sessions"), "ada")
	_, bob := b.person(t, b.key(t, "blog", "sessions"), "bob")
	if got := b.shown(t, ada, nil); got != "" {
		t.Errorf("at first she is shown %s", got)
	}
	id := b.announces(t, admin, `{"message":"Restart at <b>18:00</b>","level":"critical","for_ms":60000}`)
	b.clock.advance(time.Second)
	b.announces(t, admin, `{"message":"For the shop","app":"shop","until":"2026-03-02T12:00:00+01:00"}`)
	if got := b.shown(t, ada, nil); got != "For the shop, Restart at <b>18:00</b>" {
		t.Errorf("in the shop are shown %s", got)
	}
	if got := b.shown(t, bob, nil); got != "Restart at <b>18:00</b>" {
		t.Errorf("in the blog are shown %s", got)
	}
	if got := b.shown(t, b.account(t, "watch", store.AccessViewer), nil); got != "" {
		t.Errorf("in the panel are shown %s", got)
	}
	do(t, b, "DELETE", "/admin/notices/"+id, nil, bearing(admin)).wants(200)
	do(t, b, "DELETE", "/admin/notices/"+id, nil, bearing(admin)).wants(200)
	if got := b.shown(t, bob, nil); got != "" {
		t.Errorf("withdrawn, there is still shown %s", got)
	}
	b.clock.advance(2 * time.Hour)
	_, ada = b.person(t, b.key(t, "shop", "sessions"), "ada")
	if got := b.shown(t, ada, nil); got != "" {
		t.Errorf("after its time there is still shown %s", got)
	}
}

func TestTheListSaysHowManyOfHowManyHaveSeenANotice(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin, shop := b.key(t, "ops", "admin"), b.key(t, "shop", "sessions")
	_, ada := b.person(t, shop, "ada")
	_, bob := b.person(t, shop, "bob")
	b.key(t, "blog", "sessions")
	id := b.announces(t, admin, `{"message":"m"}`)
	other := b.announces(t, admin, `{"message":"not for them","app":"blog"}`)
	wants := func(seen, of any) {
		t.Helper()
		for _, n := range do(t, b, "GET", "/admin/notices", nil, bearing(admin)).wants(200)["notices"].([]any) {
			if n := n.(map[string]any); n["id"] == id && (n["seen"] != seen || n["of"] != of) {
				t.Errorf("%v of %v, want %v of %v", n["seen"], n["of"], seen, of)
			} else if n["id"] == other && n["seen"] != 0.0 {
				t.Errorf("one for others was seen %v times", n["seen"])
			}
		}
	}
	wants(0.0, 2.0)
	for range 2 {
		b.shown(t, ada, map[string]any{"seen": []string{id, other, "4711", "drain-x", ""}})
	}
	wants(1.0, 2.0)
	do(t, b, "POST", "/admin/users/heartbeat", map[string]any{"sessionToken": bob, "seen": []string{id}, "leaving": true}, header("Content-Type", "text/plain")).wants(200)
	b.clock.advance(15 * time.Second)
	wants(2.0, 2.0) // bob has left, but he has seen it
	do(t, b, "DELETE", "/admin/notices/"+id, nil, bearing(admin)).wants(200)
	wants(2.0, nil)
	many := make([]string, maxSeen+1)
	many[maxSeen] = b.announces(t, admin, `{"message":"too many"}`)
	b.shown(t, ada, map[string]any{"seen": many})
	if n := b.listedNotice(t, admin); n["message"] == "too many" && n["seen"] != 0.0 {
		t.Errorf("the %dst of one heartbeat counts", maxSeen+1)
	}
}

func TestNoticesThatAreRefused(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := bearing(b.key(t, "ops", "admin"))
	for name, body := range map[string]string{
		"no message":              `{}`,
		"a long one":              `{"message":"` + strings.Repeat("x", 501) + `"}`,
		"a line break":            `{"message":"a\nb"}`,
		"an unknown level":        `{"message":"m","level":"fatal"}`,
		"an unknown organization": `{"message":"m","organization":"Nowhere"}`,
		"an end in the past":      `{"message":"m","until":"2020-01-01T00:00:00Z"}`,
		"an end that is no time":  `{"message":"m","until":"tomorrow"}`,
		"two ends":                `{"message":"m","until":"2026-03-02T17:30:00Z","for_ms":5}`,
		"an end at once":          `{"message":"m","for_ms":0}`,
		"an unknown field":        `{"message":"m","colour":"red"}`,
	} {
		t.Run(name, func(t *testing.T) {
			do(t, b, "POST", "/admin/notices", body, admin).refuses(400, "invalid_request")
		})
	}
	do(t, b, "POST", "/admin/notices", `{"message":"m"}`, admin, header("Content-Type", "text/plain")).refuses(415, "unsupported_media_type")
	do(t, b, "POST", "/admin/notices", pad(`{"message":"m"}`, 64<<10+1), admin).refuses(413, "body_too_large")
	do(t, b, "DELETE", "/admin/notices/4711", nil, admin).refuses(404, "not_found")
	do(t, b, "DELETE", "/admin/notices/x", nil, admin).refuses(404, "not_found")
	if got := do(t, b, "GET", "/admin/notices", nil, admin).wants(200)["notices"].([]any); len(got) != 0 {
		t.Errorf("stored are %v", got)
	}
	for range 20 {
		do(t, b, "POST", "/admin/notices", `{"message":"m"}`, admin).wants(201)
	}
	do(t, b, "POST", "/admin/notices", `{"message":"m"}`, admin).refuses(409, "too_many_notices")
}

func TestTheFeedTellsOfNotices(t *testing.T) {
	onAFeed(t, func(t *testing.T, s *served, r *reader) {
		admin := s.key(t, "ops", "admin")
		tells := func(want string) {
			t.Helper()
			got := r.next()
			if text := strings.TrimSpace(fmt.Sprint(got.Type, " ", got.Notice.Message, got.Withdrawn)); text != want {
				t.Errorf("told is %q, want %q", text, want)
			}
		}
		id := s.announces(t, admin, `{"message":"m","for_ms":10000}`)
		tells("notice m")
		do(t, s.bench, "DELETE", "/admin/notices/"+id, nil, bearing(admin)).wants(200)
		tells("notice " + id)
		id = s.announces(t, admin, `{"message":"brief","for_ms":10000}`)
		tells("notice brief")
		r.tells()
		time.Sleep(9 * time.Second)
		tells("notice " + id) // its time is over
		s.sql(t, `INSERT INTO notices (id, message, level, created_at, created_by) VALUES (7, 'from the shell', 'info', 1, 'me')`)
		tells("notice from the shell")
		do(t, s.bench, "PUT", "/admin/drain", `{"message":"draining"}`, bearing(admin)).wants(200)
		tells("notice draining")
		do(t, s.bench, "DELETE", "/admin/drain", nil, bearing(admin)).wants(200)
		if got := r.next(); !strings.HasPrefix(got.Withdrawn, "drain-") {
			t.Errorf("told is %+v", got)
		}
		r.tells()
	})
}

func TestWithoutReadersAHeartbeatStillHearsWhatTheShellAnnounces(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		ada := s.enter(t, "ada")
		s.shown(t, ada, nil)
		s.sql(t, `INSERT INTO notices (id, message, level, created_at, created_by) VALUES (7, 'from the shell', 'info', 1, 'me')`)
		time.Sleep(time.Second + 20*time.Millisecond)
		synctest.Wait()
		if got := s.shown(t, ada, nil); got != "from the shell" {
			t.Errorf("a second later is shown %q", got)
		}
		s.stop()
		s.must(t, <-s.ended)
	})
}

func TestWhoDoesNotGetThroughIsToldOfNoNotice(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.announces(t, b.key(t, "ops", "admin"), `{"message":"secret-plan"}`)
	for _, opt := range []func(*http.Request){bearing("unknown"), func(*http.Request) {}} {
		if got := do(t, b, "POST", "/admin/users/heartbeat", nil, opt); strings.Contains(got.Body.String(), "secret-plan") {
			t.Errorf("it is told: %s", got.Body)
		}
	}
}

// BenchmarkHeartbeatsBesideNotices compares heartbeats without any notice with
// those that bring three.
func BenchmarkHeartbeatsBesideNotices(bench *testing.B) {
	for _, notices := range []int{0, 3} {
		bench.Run(fmt.Sprint(notices), func(bench *testing.B) {
			b := newBench(bench, storetest.New(bench))
			token := func() string {
				r, err := b.store.Login(context.Background(), b.now(), shopBackend, store.Login{User: store.UserInput{ID: "ada"}})
				if err != nil {
					bench.Fatal(err)
				}
				return r.Token
			}()
			for n := range notices {
				if _, err := b.store.PostNotice(context.Background(), b.now(), "user:root", store.NoticeInput{Message: fmt.Sprint(n), Level: store.LevelInfo}); err != nil {
					bench.Fatal(err)
				}
			}
			up, err := b.live.Announced(context.Background(), b.now())
			if err != nil {
				bench.Fatal(err)
			}
			bench.SetParallelism(64)
			bench.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					beaten, err := b.store.Touch(context.Background(), b.now(), token, store.Beat{WantMember: !up.Empty()})
					if err != nil {
						bench.Error(err)
						return
					}
					if _, err := json.Marshal(up.ShownTo(beaten.Member, b.now())); err != nil {
						bench.Error(err)
					}
				}
			})
		})
	}
}
