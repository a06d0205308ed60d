package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"rollcall/server/auth"
	"rollcall/server/authproxy"
	"rollcall/store"
	"rollcall/store/storetest"
)

// behindProxy has a server believe a proxy in this network. Of its people ada administers, and vera looks.
func behindProxy(network string) func(*Config) {
	return func(c *Config) {
		c.Origin.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(network)}
		c.Proxy = authproxy.Proxy{Header: "Remote-User", Claims: authproxy.Claims{"name": "Remote-Name", "session": "Remote-Session", "groups": "Remote-Groups"},
			App: "wiki", Admins: authproxy.Names{"ada", "@ops"}, Viewers: authproxy.Names{"vera"}}
	}
}

// proxiedBench is a server behind a proxy from which all requests of tests come.
func proxiedBench(t *testing.T) *bench {
	t.Helper()
	return newBench(t, storetest.New(t), behindProxy("203.0.113.7/32"))
}

// arrives reports what a heartbeat says that comes by the proxy: "" for alive, else the reason.
func (b *bench) arrives(t *testing.T, user, browser string, further ...func(*http.Request)) string {
	t.Helper()
	got := do(t, b, "POST", "/admin/users/heartbeat", fmt.Sprintf(`{"client":%q,"idle_ms":0}`, browser), append(further, header("Remote-User", user))...)
	if got.Code == 200 {
		return ""
	}
	reason, _ := got.refuses(404, "session_ended")["end_reason"].(string)
	return reason
}

func TestWhomTheProxyHasLetInIsOnlineFromTheFirstHeartbeatOn(t *testing.T) {
	b := proxiedBench(t)
	admin := b.key(t, "ops", "admin")
	for _, browser := range []string{"firefox", "chrome", "firefox"} {
		if got := b.arrives(t, "eve", browser, header("Remote-Name", "Eve Adams")); got != "" {
			t.Fatalf("a heartbeat: %s", got)
		}
		b.clock.advance(time.Minute)
	}
	eve := b.people(t, admin, "?app=wiki")["eve"]
	if eve["name"] != "Eve Adams" || eve["session_count"] != 2.0 || eve["directory"] != "wiki" {
		t.Errorf("she is %v", eve)
	}
	do(t, b, "PUT", "/admin/users/me/status", `{"status":"busy","text":"Recording"}`, header("Remote-User", "eve"), header("X-Rollcall", "page")).wants(200)
	if got := b.people(t, admin, "")["eve"]["status"]; got != "busy" {
		t.Errorf("she says that she is busy, and is %v", got)
	}
	for _, browser := range []string{"firefox", "chrome"} {
		do(t, b, "POST", "/admin/users/heartbeat", fmt.Sprintf(`{"client":%q,"leaving":true}`, browser), header("Remote-User", "eve")).wants(200)
	}
	b.clock.advance(time.Minute)
	if people := b.people(t, admin, ""); len(people) != 0 {
		t.Errorf("who has said goodbye is there: %v", people)
	}
	do(t, b, "POST", "/admin/users/heartbeat", `{"client":"new","leaving":true}`, header("Remote-User", "bob")).refuses(404, "session_ended")
}

func TestAHeaderThatTheProxyDidNotSendBeginsNothing(t *testing.T) {
	b := proxiedBench(t)
	elsewhere := func(r *http.Request) { r.RemoteAddr = "203.0.113.8:4711" }
	forwarded := func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.7"); elsewhere(r) }
	for name, from := range map[string]func(*http.Request){"somebody": elsewhere, "somebody who says it is the proxy": forwarded} {
		do(t, b, "POST", "/admin/users/heartbeat", `{"client":"x"}`, header("Remote-User", "ada"), from).refuses(400, "session_token_required")
		do(t, b, "GET", "/admin/audit", nil, header("Remote-User", "ada"), from).refuses(401, "unauthenticated")
		if lines := b.lines("no trusted proxy"); len(lines) != 1 {
			t.Errorf("%s: the log says %v", name, lines)
		}
	}
	if people := b.people(t, b.key(t, "ops", "read"), ""); len(people) != 0 {
		t.Errorf("there are %v", people)
	}
}

func TestAHeaderThatCanNotBeReadIsNobodyAndKeepsTheLightFromClear(t *testing.T) {
	b := proxiedBench(t)
	reader := b.key(t, "ops", "read")
	if got := do(t, b, "GET", "/admin/gate", nil, bearing(reader)).wants(200)["level"]; got != "clear" {
		t.Fatalf("at first the light is %v", got)
	}
	for _, bad := range []string{"e\u200bve", "rollcall:root", strings.Repeat("x", 201), "\xff"} {
		do(t, b, "POST", "/admin/users/heartbeat", `{"client":"y"}`, header("Remote-User", bad)).refuses(403, "unreadable_auth_header")
		do(t, b, "GET", "/auth/me", nil, header("Remote-User", bad)).refuses(401, "unauthenticated")
	}
	b.clock.advance(time.Minute)
	if got := do(t, b, "GET", "/admin/gate", nil, bearing(reader)).wants(409); got["level"] != "caution" || got["counts"].(map[string]any)["unidentified"] != 1.0 {
		t.Errorf("then it is %v", got)
	}
}

func TestARevocationHoldsUntilThePersonHasSignedInAnewOrItsTimeIsOver(t *testing.T) {
	b := proxiedBench(t)
	admin := b.key(t, "ops", "admin")
	revoke := func() {
		t.Helper()
		for _, session := range b.people(t, admin, "")["eve"]["sessions"].([]any) {
			do(t, b, "DELETE", "/admin/sessions/"+session.(map[string]any)["id"].(string), nil, bearing(admin)).wants(200)
		}
	}
	b.arrives(t, "eve", "firefox")
	revoke()
	for range 15 {
		if got := b.arrives(t, "eve", "firefox"); got != "revoked" {
			t.Fatalf("a page that was loaded anew: %q", got)
		}
		if got := do(t, b, "GET", "/admin/gate", nil, bearing(admin)).wants(409); got["counts"].(map[string]any)["still_there"] != 1.0 {
			t.Fatalf("the light does not know that she is there: %v", got)
		}
		b.clock.advance(time.Minute)
	}
	if got := b.arrives(t, "eve", "firefox"); got != "" {
		t.Errorf("after its time: %q", got)
	}
	if got := do(t, b, "GET", "/admin/gate", nil, bearing(admin)).wants(409); got["counts"].(map[string]any)["available"] != 1.0 {
		t.Errorf("the light does not count her: %v", got)
	}
	revoke()
	if got := b.arrives(t, "bob", "firefox"); got != "" {
		t.Errorf("somebody else in this browser: %q", got)
	}
	if got := b.arrives(t, "eve", "firefox", header("Remote-Session", "2")); got != "" {
		t.Errorf("who has signed in anew: %q", got)
	}
	if got := b.arrives(t, "eve", "firefox"); got != "revoked" {
		t.Errorf("in the sign-in of before: %q", got)
	}
}

func TestAPageOfThePanelIsNotTakenForOneOfTheApplication(t *testing.T) {
	b := proxiedBench(t)
	reader := b.key(t, "ops", "read")
	do(t, b, "POST", "/admin/users/heartbeat?panel=true", `{"client":"x"}`, header("Remote-User", "ada")).refuses(400, "session_token_required")
	if people := b.people(t, reader, ""); len(people) != 0 {
		t.Errorf("who looks at the panel is online: %v", people)
	}
	root := cookied(b, b.admin(t))
	do(t, b, "POST", "/admin/users/heartbeat", `{"client":"x"}`, header("Remote-User", "ada"), root).wants(200)
	if people := b.people(t, reader, ""); people["ada"] == nil {
		t.Errorf("who works in a page, and has an account too, is not there: %v", people)
	}
	do(t, b, "POST", "/admin/users/heartbeat?panel=true", `{"client":"x"}`, header("Remote-User", "ada"), root).wants(200)
	do(t, b, "PUT", "/admin/users/me/status", `{"status":"busy"}`, header("Remote-User", "ada"), header("X-Rollcall", "page"), root).wants(200)
	if people := b.people(t, reader, ""); people["ada"]["status"] != "busy" {
		t.Errorf("what she says in a page is said of another: %v", people)
	}
}

func TestWhomTheProxySignsInToThePanel(t *testing.T) {
	b := proxiedBench(t)
	do(t, b, "GET", "/", nil, header("Remote-User", "eve")).wants(303) // to the set-up
	do(t, b, "GET", "/", nil, header("Remote-User", "vera")).wants(200)
	if got := do(t, b, "GET", "/auth/me", nil, header("Remote-User", "vera"), header("Remote-Name", "Vera")).wants(200); got["user"].(map[string]any)["access"] != "viewer" ||
		got["user"].(map[string]any)["name"] != "Vera" || got["session"] != nil {
		t.Errorf("she is %v", got)
	}
	do(t, b, "POST", "/admin/keys", `{"app":"shop","scopes":["read"]}`, header("Remote-User", "vera")).refuses(403, "forbidden")
	do(t, b, "POST", "/admin/keys", `{"app":"shop","scopes":["read"]}`, header("Remote-User", "ada")).wants(201)
	do(t, b, "POST", "/admin/keys", `{"app":"blog","scopes":["read"]}`, header("Remote-User", "olga"), header("Remote-Groups", "dev,ops")).wants(201)
	entries := do(t, b, "GET", "/admin/audit?action=key.create", nil, header("Remote-User", "ada")).wants(200)["entries"].([]any)
	var actors []string
	for _, entry := range entries {
		actors = append(actors, entry.(map[string]any)["actor"].(string))
	}
	if got := strings.Join(actors, " "); got != "user:wiki/olga user:wiki/ada" {
		t.Errorf("keys were made by %s", got)
	}

	root := b.account(t, "root", store.AccessAdmin)
	do(t, b, "GET", "/", nil, header("Remote-User", "eve")).wants(303)
	do(t, b, "GET", "/", nil, header("Remote-User", "eve"), cookied(b, root)).wants(200)
	do(t, b, "GET", "/admin/keys", nil, header("Remote-User", "vera"), cookied(b, root)).wants(200)
	do(t, b, "GET", "/admin/users/online", nil, header("Remote-User", "vera"), cookied(b, "rcs_gone")).wants(200)
	do(t, b, "GET", "/admin/users/online", nil, header("Remote-User", "vera"), bearing("rcs_gone")).refuses(401, "unauthenticated")
}

func TestWhoWasNeverInAPageOfTheApplicationIsToldWhyTheyHaveNoStatus(t *testing.T) {
	b := proxiedBench(t)
	vera := []func(*http.Request){header("Remote-User", "vera")}
	const want = "You have a status once you have opened a page of wiki"
	for method, body := range map[string]any{"PUT": `{"status":"busy"}`, "DELETE": nil} {
		if got := do(t, b, method, "/admin/users/me/status", body, vera...).refuses(404, "user_not_found")["error"]; got != want {
			t.Errorf("%s: %v", method, got)
		}
	}
	if got := b.arrives(t, "vera", "firefox"); got != "" {
		t.Fatalf("a heartbeat: %s", got)
	}
	do(t, b, "PUT", "/admin/users/me/status", `{"status":"busy"}`, vera...).wants(200)
}

func TestWhatAnotherSiteLoadsIntoItsPagesIsByNobody(t *testing.T) {
	b := proxiedBench(t)
	site := header("Sec-Fetch-Site", "cross-site")
	do(t, b, "GET", "/admin/users/online", nil, header("Remote-User", "ada"), site, header("Sec-Fetch-Mode", "no-cors")).refuses(403, "cross_origin")
	do(t, b, "GET", "/", nil, header("Remote-User", "ada"), site, header("Sec-Fetch-Mode", "navigate")).wants(200)
}

func TestASocketByTheWordOfTheProxyIsForPagesOfOursOnly(t *testing.T) {
	b := newBench(t, storetest.New(t), behindProxy("127.0.0.0/8"))
	served := httptest.NewServer(b.Handler())
	defer served.Close()
	dial := func(path, user, page string) (*websocket.Conn, int) {
		t.Helper()
		conn, answer, err := websocket.Dial(t.Context(), served.URL+path, &websocket.DialOptions{HTTPHeader: http.Header{"Remote-User": {user}, "Origin": {page}}})
		if err != nil {
			return nil, answer.StatusCode
		}
		t.Cleanup(func() { conn.CloseNow() })
		return conn, 101
	}
	own := served.URL
	for _, c := range []struct {
		path, user, page string
		want             int
	}{
		{"/admin/users/online/live", "eve", "https://evil.example", 403},
		{"/admin/users/online/live", "vera", "https://evil.example", 403},
		{"/live", "vera", "https://evil.example", 403},
		{"/live?client=x", "vera", own, 401}, // no heartbeat has come
		{"/admin/users/online/live", "vera", own, 101},
	} {
		if _, got := dial(c.path, c.user, c.page); got != c.want {
			t.Errorf("%s for %s in a page of %s: %d, want %d", c.path, c.user, c.page, got, c.want)
		}
	}
	do(t, b, "POST", "/admin/users/heartbeat", `{"client":"x"}`, header("Remote-User", "vera"), func(r *http.Request) {
		r.RemoteAddr, r.Host = "127.0.0.1:4711", strings.TrimPrefix(own, "http://")
	}).wants(200)
	if _, got := dial("/live?client=x", "vera", own); got != 101 {
		t.Errorf("after a heartbeat: %d", got)
	}
}

func TestAFollowerByTheWordOfTheProxyAsksItAgain(t *testing.T) {
	b := newBench(t, storetest.New(t), behindProxy("203.0.113.7/32"), func(c *Config) { c.AllowedOrigins = []string{"https://app.example"} })
	follow := func(user, page string) (string, auth.Follow) {
		t.Helper()
		r := httptest.NewRequest("GET", "/admin/users/online/live", nil)
		r.Host, r.RemoteAddr = "localhost:8080", "203.0.113.7:4711"
		r.Header.Set("Remote-User", user)
		r.Header.Set("Origin", page)
		token, follow, err := b.auth.Socket(r, auth.Viewers)
		if err != nil {
			t.Fatal(err)
		}
		return token, follow
	}
	for _, c := range []struct{ user, page string }{{"eve", "http://localhost:8080"}, {"vera", "https://app.example"}} {
		if token, _ := follow(c.user, c.page); token != "" { // they have to bring one
			t.Errorf("%s in a page of %s needs no token", c.user, c.page)
		}
	}
	token, by := follow("vera", "http://localhost:8080")
	b.clock.advance(9 * time.Minute)
	if c, err := by(t.Context(), token); err != nil || c.Person.User.ID != "vera" {
		t.Errorf("after 9 minutes: %+v, %v", c, err)
	}
	b.clock.advance(time.Minute)
	if c, err := by(t.Context(), token); err == nil {
		t.Errorf("after 10 minutes: %+v", c)
	}
}
