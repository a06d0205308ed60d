package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"rollcall/server/metrics"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// metricsBench is a bench whose store tells its meters of commits.
func metricsBench(t testing.TB, change ...func(*Config)) *bench {
	meters := metrics.New()
	cfg := storetest.Config(t, t.TempDir())
	cfg.Rules, cfg.OnCommit = presence.DefaultRules(), meters.Commit
	return newBench(t, storetest.OpenConfig(t, cfg), append(change, func(c *Config) { c.Meters = meters })...)
}

// askMetrics sends a request to the other listener.
func (b *bench) askMetrics(method, path, host string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	b.scraping().ServeHTTP(w, r)
	return w
}

func (b *bench) measured(t testing.TB) exposition {
	t.Helper()
	w := b.askMetrics("GET", "/metrics", "127.0.0.1:9090")
	if kind := w.Header().Get("Content-Type"); w.Code != 200 || kind != "text/plain; version=0.0.4; charset=utf-8" {
		t.Fatalf("%d %s: %s", w.Code, kind, w.Body)
	}
	return parseExposition(t, w.Body.String())
}

// grown tells by how much each series is more than it was.
func (b *bench) grown(t testing.TB, before exposition) func(series string, want float64) {
	t.Helper()
	after := b.measured(t)
	return func(series string, want float64) {
		t.Helper()
		if got := after.value(t, series) - before[series]; got != want {
			t.Errorf("%s grew by %g, want %g", series, got, want)
		}
	}
}

func TestMetricsCountWhatHappens(t *testing.T) {
	b := metricsBench(t)
	b.admin(t)
	key := b.key(t, "shop", "sessions", "read")
	_, token := b.person(t, key, "ada")
	before := b.measured(t)
	b.person(t, key, "bob")
	for range 3 {
		do(t, b, "POST", "/admin/users/heartbeat", `{}`, bearing(token)).wants(200)
	}
	do(t, b, "POST", "/admin/users/heartbeat", `{}`, bearing("rcs_unknown")).wants(404)
	do(t, b, "POST", "/admin/users/heartbeat", nil).wants(400)
	do(t, b, "POST", "/admin/sessions", `{"user":{}}`, bearing(key)).wants(400)
	do(t, b, "GET", "/admin/users/ada/explain", nil, bearing(key)).wants(200)
	do(t, b, "HEAD", "/admin/users/online", nil, bearing(key)).wants(200)
	do(t, b, "GET", "/admin/users/online", nil).wants(401)
	do(t, b, "GET", "/no/such/page", nil).wants(404)
	do(t, b, "PATCH", "/admin/sessions", nil).wants(405)
	do(t, b, "GET", "/", nil, host("evil.example")).wants(421)
	grew := b.grown(t, before)
	grew(`rollcall_logins_total{to="application",result="ok"}`, 1)
	grew(`rollcall_logins_total{to="application",result="invalid_request"}`, 1)
	grew(`rollcall_heartbeats_total{result="ok"}`, 3)
	grew(`rollcall_heartbeats_total{result="session_ended"}`, 1)
	grew(`rollcall_heartbeats_total{result="session_token_required"}`, 1)
	grew(`rollcall_http_requests_total{method="POST",route="/admin/users/heartbeat",status="2xx"}`, 3)
	grew(`rollcall_http_requests_total{method="POST",route="/admin/users/heartbeat",status="4xx"}`, 2)
	grew(`rollcall_http_request_duration_seconds_count{method="POST",route="/admin/users/heartbeat"}`, 5)
	grew(`rollcall_http_requests_total{method="GET",route="/admin/users/{id}/explain",status="2xx"}`, 1)
	grew(`rollcall_http_requests_total{method="GET",route="/admin/users/online",status="2xx"}`, 1)
	grew(`rollcall_http_requests_total{method="GET",route="/admin/users/online",status="4xx"}`, 1)
	grew(`rollcall_http_requests_total{method="",route="",status="4xx"}`, 3)
	grew(`rollcall_refusals_total{code="unauthenticated"}`, 1)
	grew(`rollcall_refusals_total{code="unknown_host"}`, 1)
	grew(`rollcall_commit_writes_sum`, 8)   // a login, three heartbeats, one that was too late, a look at a person,
	grew(`rollcall_commit_writes_count`, 8) // two notes of who is unidentified; one after the other
	grew(`rollcall_commit_duration_seconds_count`, 8)
}

func TestMetricsCountSignInsAndWhoIsHeldOff(t *testing.T) {
	b := metricsBench(t)
	b.admin(t)
	for range accountTries {
		do(t, b, "POST", "/auth/login", map[string]string{"name": "root", "password": "wrong"}).wants(401)
	}
	do(t, b, "POST", "/auth/login", map[string]string{"name": "root", "password": password}).wants(429)
	do(t, b, "POST", "/auth/login", map[string]string{"name": "root", "password": password}, from("198.51.100.7")).wants(200)
	grew := b.grown(t, nil)
	grew(`rollcall_logins_total{to="panel",result="ok"}`, 1)
	grew(`rollcall_logins_total{to="panel",result="invalid_credentials"}`, accountTries)
	grew(`rollcall_logins_total{to="panel",result="too_many_attempts"}`, 1)
	grew(`rollcall_refusals_total{code="too_many_attempts"}`, 1)
}

func TestMetricsSayHowThingsStand(t *testing.T) {
	b := metricsBench(t, func(c *Config) { c.Version = `v1.2"3` })
	shop, blog := b.key(t, "shop", "sessions"), b.key(t, "b\"l\\o\ng", "sessions")
	_, ada := b.person(t, shop, "ada")
	b.person(t, shop, "bob")
	b.person(t, blog, "eve")
	do(t, b, "PUT", "/admin/users/bob/status", `{"status":"busy"}`, bearing(shop)).wants(200)
	do(t, b, "POST", "/admin/users/heartbeat", `{"idle_ms":600000}`, bearing(ada)).wants(200)
	_, gone := b.person(t, shop, "gone")
	do(t, b, "POST", "/admin/sessions/end", map[string]string{"session_token": gone}, bearing(shop)).wants(200)
	do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(gone)).refuses(404, "session_ended")
	for _, token := range []string{"a-token-of-nobody", "another-of-nobody"} {
		do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(token)).refuses(404, "session_ended")
	}
	if _, err := b.store.Cleanup(t.Context(), b.now()); err != nil {
		t.Fatal(err)
	}
	is := b.grown(t, nil)
	is(`rollcall_info{version="v1.2\"3"}`, 1)
	is(`rollcall_people_online{status="available"}`, 1)
	is(`rollcall_people_online{status="busy"}`, 1)
	is(`rollcall_people_online{status="away"}`, 1)
	is(`rollcall_people_hidden{because="still_there"}`, 1)
	is(`rollcall_people_hidden{because="unidentified"}`, 2)
	is(`rollcall_sessions{state="active"}`, 3)
	is(`rollcall_sessions{state="expired"}`, 0)
	is(`rollcall_sessions{state="ended"}`, 1)
	is(`rollcall_app_sessions{app="shop"}`, 2)
	is(`rollcall_app_sessions{app="b\"l\\o\ng"}`, 1)
	is(`rollcall_live_sockets`, 0)
	is(`rollcall_last_cleanup_timestamp_seconds`, float64(b.now().Unix()))
	is(`rollcall_last_cleanup_ended`, 0)
	is(`rollcall_last_cleanup_purged`, 0)
	is(`rollcall_database_up`, 1)
	now := b.measured(t)
	for _, some := range []string{"rollcall_database_bytes", "process_resident_memory_bytes", "go_goroutines"} {
		if now.value(t, some) <= 0 {
			t.Errorf("%s is %g", some, now[some])
		}
	}
	if log, told := now["rollcall_database_log_bytes"]; told == storetest.Postgres || told && log <= 0 {
		t.Errorf("of the log it says %g, %t", log, told)
	}
}

func TestMetricsFollowTheLiveFeed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		viewer := bearing(s.key(t, "shop", "read"))
		r, _ := s.follow(t, "", viewer)
		s.enter(t, "ada")
		r.tells("online ada")
		is := s.grown(t, nil)
		is(`rollcall_live_sockets`, 1)
		is(`rollcall_live_events_total`, 2) // and one of the gate
		is(`rollcall_live_resets_total`, 0)
		is(`rollcall_http_requests_total{method="GET",route="/admin/users/online/live",status="1xx"}`, 1)
		is(`rollcall_http_request_duration_seconds_count{method="GET",route="/admin/users/online/live"}`, 0)
		lost, _ := s.follow(t, "?since=gone.1", viewer)
		lost.tells("reset")
		is = s.grown(t, nil)
		is(`rollcall_live_sockets`, 2)
		is(`rollcall_live_resets_total`, 1)
		s.stop()
		s.must(t, <-s.ended)
	})
}

func TestMetricsNameNobody(t *testing.T) {
	b := metricsBench(t)
	person := canaries{"name": "Canaria", "id": "canary-id", "e-mail": "canary@birds.example", "organization": "Canary Isles", "team": "canary-team",
		"role": "canary-role", "page": "canary-page", "address": "192.0.2.77", "user agent": "CanaryBrowser", "status": "canary-text", "token": "canary-token-7f3a91c0d84be265"}
	key := b.key(t, "shop", "admin")
	person["key"] = key
	made := do(t, b, "POST", "/admin/sessions", map[string]any{"session_token": person["token"], "ip_address": person["address"], "user_agent": person["user agent"],
		"user": map[string]string{"id": person["id"], "name": person["name"], "email": person["e-mail"], "organization": person["organization"],
			"team": person["team"], "role": person["role"]}}, bearing(key)).wants(201)
	person["session"] = made["session"].(map[string]any)["id"].(string)
	do(t, b, "POST", "/admin/users/heartbeat", map[string]string{"page": "/" + person["page"]}, bearing(person["token"])).wants(200)
	do(t, b, "PUT", "/admin/users/"+person["id"]+"/status", map[string]string{"status": "busy", "text": person["status"]}, bearing(key)).wants(200)
	do(t, b, "GET", "/admin/users/"+person["id"]+"/explain", nil, bearing(key)).wants(200)
	do(t, b, "GET", "/admin/users/online?q="+person["id"], nil, bearing(key)).wants(200)
	do(t, b, "GET", "/"+person["id"], nil, bearing(person["token"])).wants(404)
	do(t, b, "POST", "/auth/login", map[string]string{"name": person["id"], "password": person["token"]}, from(person["address"])).wants(401)
	do(t, b, "DELETE", "/admin/sessions/"+person["session"], nil, bearing(key)).wants(200)
	do(t, b, person["id"], "/admin/sessions", nil).wants(405)
	page := b.askMetrics("GET", "/metrics", "localhost").Body.String()
	person.in(t, "/metrics", page)
	if !strings.Contains(page, `{method="DELETE",route="/admin/sessions/{id}",status="2xx"} 1`) {
		t.Error("what was asked for does not show, so this test looks in the wrong place")
	}
}

func TestTheListenerOfMetricsAnswersNothingElse(t *testing.T) {
	b := metricsBench(t)
	for _, test := range []struct {
		method, path, host string
		want               int
	}{
		{"GET", "/metrics", "localhost", 200}, {"HEAD", "/metrics", "10.0.0.1:9090", 200}, {"GET", "/metrics", "[::1]:9090", 200},
		{"GET", "/metrics", "evil.example", 421}, {"GET", "/", "localhost", 404}, {"GET", "/metrics/", "localhost", 404},
		{"GET", "/admin/users/online", "localhost", 404}, {"GET", "/healthz", "localhost", 404},
		{"POST", "/metrics", "localhost", 405}, {"DELETE", "/metrics", "localhost", 405},
	} {
		w := b.askMetrics(test.method, test.path, test.host)
		if w.Code != test.want {
			t.Errorf("%s %s at %s: %d, want %d", test.method, test.path, test.host, w.Code, test.want)
		}
		if test.want == 405 && w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: Allow is %q", test.method, w.Header().Get("Allow"))
		}
		hasSecurityHeaders(t, b, test.method+" "+test.path, w.Header())
	}
	do(t, b, "GET", "/metrics", nil).wants(404) // nor is it answered on the other
}

func TestAScrapeWithoutADatabaseSaysSo(t *testing.T) {
	b := metricsBench(t)
	b.store.Close()
	now := b.measured(t)
	if now.value(t, "rollcall_database_up") != 0 {
		t.Error("the database is said to be up")
	}
	if _, known := now[`rollcall_sessions{state="active"}`]; known {
		t.Error("figures without a database")
	}
}

func TestMetricsAreServedUntilTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		arrived, leave := make(chan struct{}), make(chan struct{})
		ln := newPipes()
		s := serving(t, waiting(arrived, leave), func(c *Config) { c.Metrics = ln })
		transport := &http.Transport{DialContext: ln.dial}
		defer transport.CloseIdleConnections()
		scrape := func() int {
			r, _ := http.NewRequestWithContext(context.Background(), "GET", "http://localhost/metrics", nil)
			answer, err := transport.RoundTrip(r)
			if err != nil {
				return 0
			}
			answer.Body.Close()
			return answer.StatusCode
		}
		if got := scrape(); got != 200 {
			t.Errorf("while it serves: %d", got)
		}
		done := make(chan struct{})
		go func() {
			s.get(t, "/slow/")
			close(done)
		}()
		<-arrived
		s.stop()
		synctest.Wait()
		if got := scrape(); got != 200 {
			t.Errorf("while it stops: %d", got)
		}
		close(leave)
		<-done
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		if got := scrape(); got != 0 {
			t.Errorf("after the end: %d", got)
		}
	})
}

func TestWhereMetricsCanNotBeServedTheServerEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, storetest.Open(t, filepath.Join(t.TempDir(), "data"), presence.DefaultRules()), func(c *Config) { c.Metrics = deaf{newPipes()} })
		if err := b.Serve(t.Context(), newPipes()); err == nil || !strings.Contains(err.Error(), errDeaf.Error()) {
			t.Errorf("got %v", err)
		}
	})
}
