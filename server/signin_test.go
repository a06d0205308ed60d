package server

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/storetest"
)

// How often a sign-in may be tried at once.
const (
	accountTries = 10 // for one account from one network
	networkTries = 50 // from one network
)

func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address + ":4711" }
}

// signIn tries a password.
func (b *bench) signIn(t testing.TB, name, password string, opts ...func(*http.Request)) result {
	t.Helper()
	return do(t, b, "POST", "/auth/login", map[string]any{"name": name, "password": password}, opts...)
}

// with sends the cookies of an earlier answer.
func with(cookies []*http.Cookie) func(*http.Request) {
	return func(r *http.Request) {
		for _, cookie := range cookies {
			r.AddCookie(cookie)
		}
	}
}

func TestSignedInUntilSignedOut(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.admin(t)
	in := b.signIn(t, "Root", password, header("User-Agent", "Firefox"), header("Origin", "http://localhost:8080"))
	if user := in.wants(200)["user"]; !cmp.Equal(user, any(map[string]any{"id": "rollcall:root", "name": "root", "access": "admin"})) {
		t.Errorf("signed in as %v", user)
	}
	browser := with(in.Result().Cookies())
	me := do(t, b, "GET", "/auth/me", nil, browser).wants(200)
	if me["user"].(map[string]any)["id"] != "rollcall:root" || me["session"].(map[string]any)["app"] != "rollcall" {
		t.Errorf("got %v", me)
	}
	do(t, b, "GET", "/", nil, browser).wants(200)
	out := do(t, b, "POST", "/auth/logout", nil, browser, header("Origin", "http://localhost:8080"))
	out.wants(200)
	if cookies := out.Result().Cookies(); len(cookies) != 1 || cookies[0].MaxAge >= 0 || cookies[0].Value != "" {
		t.Errorf("the browser keeps its cookie: %v", cookies)
	}
	do(t, b, "GET", "/auth/me", nil, browser).refuses(401, "unauthenticated")
	do(t, b, "POST", "/auth/logout", nil, browser).wants(200)
	do(t, b, "POST", "/auth/logout", nil).wants(200)
	if got := do(t, b, "GET", "/", nil, browser); got.Code != 303 || got.Header().Get("Location") != "login" {
		t.Errorf("the page afterwards: %d %s", got.Code, got.Header().Get("Location"))
	}
}

func TestASignInEndsTheOneBeforeInTheSameBrowser(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.admin(t)
	first := with(b.signIn(t, "root", password).Result().Cookies())
	other := with(b.signIn(t, "root", password).Result().Cookies())
	b.signIn(t, "root", "another password, long", first).refuses(401, "invalid_credentials")
	do(t, b, "GET", "/auth/me", nil, first).wants(200)
	second := with(b.signIn(t, "root", password, first).Result().Cookies())
	do(t, b, "GET", "/auth/me", nil, first).refuses(401, "unauthenticated")
	do(t, b, "GET", "/auth/me", nil, second).wants(200)
	do(t, b, "GET", "/auth/me", nil, other).wants(200)
}

func TestALinkEndsTheSessionBeforeInTheSameBrowser(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.admin(t)
	first := with(b.signIn(t, "root", password).Result().Cookies())
	other := with(b.signIn(t, "root", password).Result().Cookies())
	use := func(secret string) result {
		return do(t, b, "POST", "/auth/link/password", map[string]any{"secret": secret, "password": password}, first)
	}
	use("rcl_nobody").refuses(410, "link_gone")
	do(t, b, "GET", "/auth/me", nil, first).wants(200)
	in := use(b.invite(t, "grace"))
	if in.wants(200)["signed_in"] != true {
		t.Errorf("%s", in.Body)
	}
	do(t, b, "GET", "/auth/me", nil, first).refuses(401, "unauthenticated")
	do(t, b, "GET", "/auth/me", nil, with(in.Result().Cookies())).wants(200)
	do(t, b, "GET", "/auth/me", nil, other).wants(200)
}

func TestASignInToThePanelEndsAfterAWeekHoweverActiveItIs(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.admin(t)
	in := b.signIn(t, "root", password)
	browser, token := with(in.Result().Cookies()), in.Result().Cookies()[0].Value
	for range 7*24*2 - 1 {
		b.clock.advance(30 * time.Minute)
		if reason := b.beats(t, token); reason != "" {
			t.Fatalf("it ended at %v: %s", b.now(), reason)
		}
	}
	do(t, b, "GET", "/auth/me", nil, browser).wants(200)
	b.clock.advance(30 * time.Minute)
	do(t, b, "GET", "/auth/me", nil, browser).refuses(401, "unauthenticated")
	if _, err := b.store.Cleanup(t.Context(), b.now()); err != nil {
		t.Fatal(err)
	}
	if reason := b.beats(t, token); reason != "expired" {
		t.Errorf("after a cleanup it %q", reason)
	}
}

func TestSigningOutEverywhere(t *testing.T) {
	b := newBench(t, storetest.New(t))
	other := cookied(b, b.account(t, "watch", store.AccessAdmin))
	b.admin(t)
	here, there := with(b.signIn(t, "root", password).Result().Cookies()), with(b.signIn(t, "root", password).Result().Cookies())
	ours := header("Origin", "http://localhost:8080")
	do(t, b, "POST", "/auth/logout?everywhere=yes", nil, here, ours).refuses(400, "invalid_request")
	do(t, b, "POST", "/auth/logout?everywhere=true", nil, here, header("Origin", "https://evil.example")).refuses(403, "cross_origin")
	do(t, b, "GET", "/auth/me", nil, there).wants(200)
	if seen := do(t, b, "GET", "/admin/sessions?app=rollcall&user=rollcall:root&state=active", nil, other).wants(200)["sessions"].([]any); len(seen) != 3 {
		t.Errorf("%d sessions of the panel are seen", len(seen))
	}
	do(t, b, "POST", "/auth/logout", `{"everywhere":"yes"}`, here, ours).refuses(400, "invalid_request")
	do(t, b, "POST", "/auth/logout", `{"all":true}`, here, ours).refuses(400, "invalid_request")
	do(t, b, "POST", "/auth/logout", pad(`{"everywhere":true}`, 64<<10+1), here, ours).refuses(413, "body_too_large")
	do(t, b, "POST", "/auth/logout", `{"everywhere":true}`, here, ours, header("Content-Type", "text/plain")).refuses(415, "unsupported_media_type")
	do(t, b, "GET", "/auth/me", nil, there).wants(200)
	do(t, b, "POST", "/auth/logout", `{"everywhere":true}`, here, ours).wants(200)
	for _, browser := range []func(*http.Request){here, there} {
		do(t, b, "GET", "/auth/me", nil, browser).refuses(401, "unauthenticated")
	}
	do(t, b, "GET", "/auth/me", nil, other).wants(200)
	do(t, b, "POST", "/auth/logout?everywhere=true", nil, here, ours).wants(200)
	here, there = with(b.signIn(t, "root", password).Result().Cookies()), with(b.signIn(t, "root", password).Result().Cookies())
	do(t, b, "POST", "/auth/logout?everywhere=true", nil, here, ours).wants(200)
	do(t, b, "GET", "/auth/me", nil, there).refuses(401, "unauthenticated")
}

func TestBelowABasePathTheCookieIsSentNowhereElse(t *testing.T) {
	for name, test := range map[string]struct {
		tls  bool
		name string
	}{"http": {false, "rollcall-8080-who"}, "https": {true, "__Secure-rollcall-8080-who"}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.New(t), func(c *Config) { c.TLS, c.BasePath = test.tls, "/who" })
			b.admin(t)
			in := do(t, b, "POST", "/who/auth/login", map[string]any{"name": "root", "password": password})
			in.wants(200)
			for _, c := range in.Result().Cookies() {
				if !strings.HasPrefix(c.Name, test.name) || c.Path != "/who" || c.Secure != test.tls || !c.HttpOnly {
					t.Errorf("the cookie %v", c)
				}
			}
		})
	}
}

func TestTheSessionIsInTheCookieAndNowhereElse(t *testing.T) {
	for name, test := range map[string]struct {
		tls   bool
		names []string
	}{
		"http":  {false, []string{"rollcall-8080", "rollcall-8080-device"}},
		"https": {true, []string{"__Host-rollcall-8080", "__Host-rollcall-8080-device"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.New(t), func(c *Config) { c.TLS = test.tls })
			b.admin(t)
			in := b.signIn(t, "root", password)
			in.wants(200)
			var names []string
			for _, c := range in.Result().Cookies() {
				names = append(names, c.Name)
				if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != test.tls || c.Path != "/" || c.Domain != "" {
					t.Errorf("the cookie %v", c)
				}
				if strings.Contains(in.Body.String(), c.Value) {
					t.Errorf("the body shows %s", c.Name)
				}
			}
			if diff := cmp.Diff(test.names, names); diff != "" {
				t.Error(diff)
			}
			out := do(t, b, "POST", "/auth/logout", nil, with(in.Result().Cookies()))
			if c := out.Result().Cookies()[0]; c.Name != test.names[0] || c.Secure != test.tls || c.Path != "/" {
				t.Errorf("the browser would not delete it: %v", c)
			}
		})
	}
}

// TestRollcallsOnOneHostDoNotSignEachOtherOut has one browser signed in to several, whose
// cookies know neither ports nor who set them.
func TestRollcallsOnOneHostDoNotSignEachOtherOut(t *testing.T) {
	for name, those := range map[string][2]struct{ host, public, base string }{
		"ports":                      {{"localhost:8080", "", ""}, {"localhost:8081", "", ""}},
		"a port and none":            {{"localhost", "", ""}, {"localhost:8081", "", ""}},
		"ports of a public address":  {{"rollcall.example", "https://rollcall.example", ""}, {"rollcall.example", "https://rollcall.example:8443", ""}},
		"base paths":                 {{"intranet.example", "http://intranet.example", "/who"}, {"intranet.example", "http://intranet.example", "/staff/who"}},
		"base paths by https":        {{"intranet.example", "https://intranet.example", "/who"}, {"intranet.example", "https://intranet.example", "/staff"}},
		"a base path and none":       {{"intranet.example", "https://intranet.example", ""}, {"intranet.example", "https://intranet.example", "/who"}},
		"a base path inside another": {{"intranet.example", "http://intranet.example", "/who"}, {"intranet.example", "http://intranet.example", "/who/else"}},
	} {
		t.Run(name, func(t *testing.T) {
			var kept []*http.Cookie // of the browser, which sends all that it has of a host
			keep := func(set []*http.Cookie) {
				for _, c := range set {
					kept = slices.DeleteFunc(kept, func(k *http.Cookie) bool { return k.Name == c.Name && k.Path == c.Path })
					if c.MaxAge >= 0 {
						kept = append(kept, c)
					}
				}
			}
			var each [2]*bench
			call := func(i int, method, path string, body any) result {
				t.Helper()
				return do(t, each[i], method, those[i].base+path, body, host(those[i].host), func(r *http.Request) {
					for _, c := range kept {
						if at := those[i].base + "/"; strings.HasPrefix(at, strings.TrimSuffix(c.Path, "/")+"/") {
							r.AddCookie(c)
						}
					}
				})
			}
			for i, that := range those {
				each[i] = newBench(t, storetest.New(t), public(that.public), func(c *Config) {
					c.BasePath, c.TLS = that.base, strings.HasPrefix(that.public, "https")
					if that.public == "" {
						c.PublicURL = nil
					}
				})
				each[i].admin(t)
				in := call(i, "POST", "/auth/login", map[string]any{"name": "root", "password": password})
				in.wants(200)
				keep(in.Result().Cookies())
			}
			for i := range those {
				call(i, "GET", "/auth/me", nil).wants(200)
			}
			out := call(1, "POST", "/auth/logout", nil)
			out.wants(200)
			keep(out.Result().Cookies())
			call(0, "GET", "/auth/me", nil).wants(200)
			call(1, "GET", "/auth/me", nil).refuses(401, "unauthenticated")
		})
	}
}

func TestSigningInLeadsToThePageThatWasWanted(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := cookied(b, b.admin(t))
	to := func(path string, opts ...func(*http.Request)) string {
		t.Helper()
		got := do(t, b, "GET", path, nil, opts...)
		if got.Code != 303 {
			return http.StatusText(got.Code)
		}
		return got.Header().Get("Location")
	}
	for page, signIn := range map[string]string{"/": "login", "/sessions": "login?next=sessions", "/sessions?q=%C3%9C&user=a%26b": "login?next=sessions%3Fq%3D%25C3%259C%26user%3Da%2526b",
		"/?app=shop": "login?next=%3Fapp%3Dshop"} {
		if got := to(page); got != signIn {
			t.Errorf("%s leads to %s", page, got)
		}
		if got := to("/" + signIn); got != "OK" {
			t.Errorf("%s leads to %s before anybody has signed in", signIn, got)
		}
		if got := to("/"+signIn, admin); got != "."+page {
			t.Errorf("from %s one gets to %s, not to %s", signIn, got, page)
		}
		// A link of a mail: the browser sends the cookie with it, which is Lax.
		if got := to(page, admin, header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Mode", "navigate"), header("Sec-Fetch-Dest", "document")); got != "OK" {
			t.Errorf("a link to %s leads to %s", page, got)
		}
	}
	for _, next := range []string{"//evil.example", "https://evil.example", "/evil", `\\evil.example`, "javascript:alert(1)", "../evil", "login", "login?next=login", "a/../../b", "%2F%2Fevil.example", "@evil.example", "evil.example", "\tsessions"} {
		if got := to("/login?next="+url.QueryEscape(next), admin); got != "./" {
			t.Errorf("next=%s leads to %s", next, got)
		}
	}
}

func TestNobodyLearnsWhichNamesExist(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.admin(t)
	wrong, hashed := hashing(func() result { return b.signIn(t, "root", "a wrong password") })
	unknown, hashedToo := hashing(func() result { return b.signIn(t, "nobody", "a wrong password") })
	wrong.refuses(401, "invalid_credentials")
	unknown.refuses(401, "invalid_credentials")
	if diff := cmp.Diff(wrong.Body.String(), unknown.Body.String()); diff != "" {
		t.Errorf("the bodies differ:\n%s", diff)
	}
	if diff := cmp.Diff(wrong.Header(), unknown.Header()); diff != "" {
		t.Errorf("the headers differ:\n%s", diff)
	}
	if !hashed || !hashedToo {
		t.Errorf("hashed for a wrong password: %v, for an unknown name: %v", hashed, hashedToo)
	}
	if _, hashed := hashing(func() result { return do(t, b, "GET", "/healthz", nil) }); hashed {
		t.Error("this test does not notice hashing")
	}
}

// hashing tells whether f hashed a password, by the 19 MiB that this takes.
func hashing(f func() result) (result, bool) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := f()
	runtime.ReadMemStats(&after)
	return got, after.TotalAlloc-before.TotalAlloc > 18<<20
}

func TestWhoTriesTooOftenWaits(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.admin(t)
	for range accountTries {
		b.signIn(t, "root", "a wrong password").refuses(401, "invalid_credentials")
	}
	got, hashed := hashing(func() result { return b.signIn(t, "ROOT", password) })
	got.refuses(429, "too_many_attempts")
	if hashed {
		t.Error("a try that is refused costs a hash")
	}
	wait, err := strconv.Atoi(got.Header().Get("Retry-After"))
	if err != nil || wait < 1 || wait > 60 {
		t.Fatalf("Retry-After is %q", got.Header().Get("Retry-After"))
	}
	b.signIn(t, "root", password, from("203.0.113.99")).refuses(429, "too_many_attempts") // the same network
	b.clock.advance(time.Duration(wait) * time.Second)
	b.signIn(t, "root", password).wants(200)
}

func TestANetworkThatTriesManyNamesWaits(t *testing.T) {
	b := newBench(t, storetest.New(t))
	try := func(name, address string) int { return b.signIn(t, name, "wrong", from(address)).Code }
	for i := range networkTries {
		if got := try("name"+strconv.Itoa(i), "[2001:db8::"+strconv.Itoa(i)+"]"); got != 401 {
			t.Fatalf("try %d: %d", i, got)
		}
	}
	if got := try("one-more", "[2001:db8::ffff]"); got != 429 {
		t.Errorf("one more: %d, want 429", got)
	}
	if got := try("one-more", "[2001:db8:0:1::1]"); got != 401 {
		t.Errorf("from another network: %d, want 401", got)
	}
}

func TestWhoHoldsManyNetworksOfIPv6WaitsToo(t *testing.T) {
	for name, test := range map[string]struct {
		network func(i int) string
		tries   int
	}{
		"a /64": {func(i int) string { return fmt.Sprintf("[2001:db8::%x]", i) }, networkTries},
		"a /56": {func(i int) string { return fmt.Sprintf("[2001:db8:0:%x::1]", i) }, 2 * networkTries},
		"a /48": {func(i int) string { return fmt.Sprintf("[2001:db8:0:%x::1]", i<<8) }, 4 * networkTries},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.New(t))
			try := func(i int) int {
				return do(t, b, "POST", "/auth/login", map[string]any{"name": "name" + strconv.Itoa(i), "code": "GUESS"}, from(test.network(i))).Code
			}
			for i := range test.tries {
				if got := try(i); got != 401 {
					t.Fatalf("try %d: %d", i, got)
				}
			}
			if got := try(test.tries); got != 429 {
				t.Errorf("one more: %d, want 429", got)
			}
			b.signIn(t, "root", "wrong", from("[2001:db8:1::1]")).refuses(401, "invalid_credentials")
		})
	}
}

func TestAKnownDeviceIsKnownToTheNextServerAndToOtherReplicas(t *testing.T) {
	s := storetest.New(t)
	b := newBench(t, s)
	b.admin(t)
	device := with(b.signIn(t, "root", password).Result().Cookies()[1:])
	other := newBench(t, s)
	for i := range networkTries {
		other.signIn(t, "name"+strconv.Itoa(i), "wrong")
	}
	other.signIn(t, "root", password).refuses(429, "too_many_attempts")
	other.signIn(t, "root", password, device).wants(200)
}

func TestStrangersLockNobodyOut(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.admin(t)
	home := b.signIn(t, "root", password)
	home.wants(200)
	exhaust := func(address string) {
		for range accountTries {
			b.signIn(t, "root", "a wrong password", from(address))
		}
		b.signIn(t, "root", password, from(address)).refuses(429, "too_many_attempts")
	}
	exhaust("198.51.100.1")
	b.signIn(t, "root", password, from("203.0.113.7")).wants(200) // the owner elsewhere, on a new device
	exhaust("203.0.113.8")
	device := with(home.Result().Cookies())
	b.signIn(t, "root", password, from("203.0.113.7"), device).wants(200) // the owner in the same network, on a known device

	b.account(t, "watch", store.AccessViewer)
	for range accountTries {
		b.signIn(t, "watch", "wrong", from("203.0.113.7"), device)
	}
	b.signIn(t, "watch", password, from("203.0.113.7"), device).refuses(429, "too_many_attempts") // it is no known device of others
	forged := &http.Cookie{Name: "rollcall-device", Value: strings.Repeat("A", 43)}
	b.signIn(t, "root", password, from("203.0.113.7"), with([]*http.Cookie{forged})).refuses(429, "too_many_attempts")
}

func TestAKnownDeviceMayNotGuessForEverEither(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.admin(t)
	device := with(b.signIn(t, "root", password).Result().Cookies())
	for range accountTries {
		b.signIn(t, "root", "wrong", device).refuses(401, "invalid_credentials")
	}
	b.signIn(t, "root", password, device).refuses(429, "too_many_attempts")
}

func TestAOneTimeCodeWorksOnceAndNotForLong(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.account(t, "watch", store.AccessViewer)
	code := func() string { return b.SignInCode(store.AccountID("watch")) }
	use := func(code string) result { return do(t, b, "POST", "/auth/login", map[string]any{"code": code}) }
	first, second, late := code(), code(), code()
	in := use(first)
	if user := in.wants(200)["user"].(map[string]any); user["id"] != "rollcall:watch" || user["access"] != "viewer" {
		t.Errorf("signed in as %v", user)
	}
	do(t, b, "GET", "/auth/me", nil, with(in.Result().Cookies())).wants(200)
	use(first).refuses(401, "invalid_credentials")
	use("").refuses(401, "invalid_credentials")
	use(strings.ToLower(second)).refuses(401, "invalid_credentials")
	b.clock.advance(15*time.Minute - time.Second)
	use(second).wants(200)
	b.clock.advance(time.Second)
	use(late).refuses(401, "invalid_credentials")
}

func TestACodeOfAnAccountThatIsGoneIsNoCode(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.admin(t)
	b.account(t, "watch", store.AccessViewer)
	code := b.SignInCode(store.AccountID("watch"))
	if err := b.store.DeleteAccount(t.Context(), b.now(), "user:root", store.AccountID("watch")); err != nil {
		t.Fatal(err)
	}
	do(t, b, "POST", "/auth/login", map[string]any{"code": code}).refuses(401, "invalid_credentials")
}

func TestCodesCanNotBeGuessedAtWill(t *testing.T) {
	b := newBench(t, storetest.New(t))
	for range accountTries {
		do(t, b, "POST", "/auth/login", `{"code":"GUESS"}`).refuses(401, "invalid_credentials")
	}
	do(t, b, "POST", "/auth/login", `{"code":"GUESS"}`).refuses(429, "too_many_attempts")
}

func TestANewPasswordEndsTheAccountsSessions(t *testing.T) {
	b := newBench(t, storetest.New(t))
	root, watch := b.admin(t), b.account(t, "watch", store.AccessViewer)
	if err := b.store.SetPassword(t.Context(), b.now(), "user:root", "watch", "another battery staple"); err != nil {
		t.Fatal(err)
	}
	do(t, b, "GET", "/auth/me", nil, cookied(b, watch)).refuses(401, "unauthenticated")
	if got := b.beats(t, watch); got != "password_changed" {
		t.Errorf("the heartbeat afterwards: %q", got)
	}
	do(t, b, "GET", "/auth/me", nil, cookied(b, root)).wants(200)
	b.signIn(t, "watch", password).refuses(401, "invalid_credentials")
	b.signIn(t, "watch", "another battery staple").wants(200)
}

func TestAPageOfOursMaySignInBehindAProxy(t *testing.T) {
	b := newBench(t, storetest.New(t), public("https://rollcall.example"))
	b.admin(t)
	ours := together(host("rollcall.example"), header("Origin", "https://rollcall.example"))
	b.signIn(t, "root", password, ours).wants(200)
	behind := together(host("localhost:8080"), header("Origin", "https://rollcall.example")) // a proxy that sends its own Host
	b.signIn(t, "root", password, behind).wants(200)
	b.signIn(t, "root", password, host("rollcall.example"), header("Origin", "https://evil.example")).refuses(403, "cross_origin")
}
