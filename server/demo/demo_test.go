package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/server/demo"
	"rollcall/ui"
)

func config(t *testing.T) demo.Config {
	t.Helper()
	schema, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return demo.Config{
		Schema:   string(schema),
		Assets:   ui.Static,
		Listener: ln,
		URL:      "http://" + ln.Addr().String(),
		People:   40,
		Seed:     7,
		Log:      zerolog.New(t.Output()),
	}
}

// start runs a demo until the test ends, and then expects that nothing is left of it.
func start(t *testing.T) demo.Links {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Setenv("TMPDIR", t.TempDir())
	cfg := config(t)
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan demo.Links, 1), make(chan error, 1)
	cfg.Ready = func(links demo.Links) { ready <- links }
	go func() { ended <- demo.Run(ctx, cfg) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the demo ended with %v", err)
		}
		if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
			t.Errorf("it left %v", left)
		}
		http.DefaultClient.CloseIdleConnections()
		goleak.VerifyNone(t, before)
	})
	select {
	case links := <-ready:
		return links
	case err := <-ended:
		ended <- err
		t.Fatal("the demo did not start")
	}
	return demo.Links{}
}

// browser signs in by the link and reads the list, as the panel does.
type browser struct {
	t    *testing.T
	http *http.Client
	base string
}

func open(t *testing.T, signIn string) browser {
	t.Helper()
	base, code, ok := strings.Cut(signIn, "/login#")
	if !ok {
		t.Fatalf("the link is %s", signIn)
	}
	jar, _ := cookiejar.New(nil)
	b := browser{t, &http.Client{Jar: jar}, base}
	t.Cleanup(b.http.CloseIdleConnections)
	if status, answer := b.post("/auth/login", map[string]string{"code": code}); status != 200 {
		t.Fatalf("signing in: %d %v", status, answer)
	}
	return b
}

func (b browser) post(path string, body any, header ...string) (status int, answer map[string]any) {
	b.t.Helper()
	raw, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.do(req)
}

func (b browser) do(req *http.Request) (status int, answer map[string]any) {
	b.t.Helper()
	res, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		b.t.Fatalf("%s answers %d without JSON: %v", req.URL.Path, res.StatusCode, err)
	}
	return res.StatusCode, answer
}

func (b browser) online() (page api.Online) {
	b.t.Helper()
	res, err := b.http.Get(b.base + "/admin/users/online")
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil || res.StatusCode != 200 {
		b.t.Fatalf("the list: %d, %v", res.StatusCode, err)
	}
	return page
}

func TestTheListIsAliveWithinTwoSeconds(t *testing.T) {
	links := start(t)
	since := time.Now()
	b := open(t, links.SignIn)
	page := b.online()
	for page.Count < 30 && time.Since(since) < 2*time.Second {
		page = b.online()
	}
	if page.Count < 30 {
		t.Fatalf("%d people after two seconds", page.Count)
	}
	organizations, teams, apps := map[string]bool{}, map[string]bool{}, map[string]bool{}
	pages := map[string]string{}
	for _, user := range page.Users {
		organizations[user.OrganizationName], teams[user.TeamName] = true, true
		pages[user.ID] = user.Page
		for _, app := range user.Apps {
			apps[app] = true
		}
	}
	if len(organizations) != 3 || len(teams) < 6 || len(apps) < 3 || page.Counts.Available < 20 || page.Counts.Away < 1 {
		t.Errorf("too uniform: %v, %v, %v, %+v", organizations, teams, apps, page.Counts)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		for _, user := range b.online().Users {
			if was, ok := pages[user.ID]; ok && was != user.Page {
				return // somebody turned a page
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody moves")
		}
	}
}

func TestTheSignInLinkWorksOnceAndThePasswordAgain(t *testing.T) {
	links := start(t)
	b := open(t, links.SignIn)
	_, code, _ := strings.Cut(links.SignIn, "#")
	if status, _ := b.post("/auth/login", map[string]string{"code": code}); status != 401 {
		t.Errorf("the second time it answers %d", status)
	}
	status, _ := b.post("/auth/login", map[string]string{"name": links.Account, "password": links.Password})
	if status != 200 {
		t.Errorf("the password answers %d", status)
	}
}

func TestTheSamplePage(t *testing.T) {
	links := start(t)
	b := open(t, links.SignIn)
	res, err := b.http.Get(links.App)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if kind := res.Header.Get("Content-Type"); res.StatusCode != 200 || !strings.HasPrefix(kind, "text/html") {
		t.Errorf("the page answers %d, %s", res.StatusCode, kind)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.base+"/demo/people", nil)
	_, list := b.do(req)
	first := list["people"].([]any)[0].(map[string]any)
	if first["id"] == "" || first["name"] == "" || first["organization"] == "" {
		t.Fatalf("the first of the people is %v", first)
	}

	status, in := b.post("/demo/login", map[string]any{"id": first["id"]})
	token, _ := in["token"].(string)
	if user, _ := in["user"].(map[string]any); status != 200 || token == "" || user["id"] != first["id"] || user["name"] != first["name"] {
		t.Fatalf("the login answers %d %v", status, in)
	}
	c := client.New(b.base, "")
	defer c.Close()
	if _, err := c.Heartbeat(t.Context(), token, api.Heartbeat{}); err != nil {
		t.Fatal(err)
	}
	if status, out := b.post("/demo/logout", map[string]string{"token": token}); status != 200 || out["success"] != true {
		t.Errorf("the logout answers %d %v", status, out)
	}
	_, err = c.Heartbeat(t.Context(), token, api.Heartbeat{})
	if !errors.Is(err, &client.Error{Code: "session_ended"}) {
		t.Errorf("after the logout a heartbeat says %v", err)
	}
}

func TestTheSamplePageRefuses(t *testing.T) {
	links := start(t)
	b := open(t, links.SignIn)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.base+"/demo/people", nil)
	_, list := b.do(req)
	someone := list["people"].([]any)[0].(map[string]any)["id"]
	tests := []struct {
		name, path string
		body       any
		header     []string
		want       int
		code       string
	}{
		{"a login from another site", "/demo/login", map[string]any{"id": someone}, []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross_origin"},
		{"a login from an older browser on another site", "/demo/login", map[string]any{"id": someone}, []string{"Origin", "https://evil.example"}, 403, "cross_origin"},
		{"a logout from another site", "/demo/logout", map[string]any{"token": "x"}, []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross_origin"},
		{"somebody unknown", "/demo/login", map[string]any{"id": "rollcall:demo"}, nil, 404, "user_not_found"},
		{"what is no object", "/demo/login", "x", nil, 400, "invalid_request"},
		{"what is too large", "/demo/login", map[string]any{"id": strings.Repeat("x", 9000)}, nil, 400, "invalid_request"},
	}
	for _, test := range tests {
		status, answer := b.post(test.path, test.body, test.header...)
		if status != test.want || answer["code"] != test.code || answer["success"] != false {
			t.Errorf("%s: %d %v", test.name, status, answer)
		}
	}
	status, _ := b.post("/demo/login", map[string]any{"id": someone}, "Sec-Fetch-Site", "same-origin")
	if status != 200 {
		t.Errorf("the page itself gets %d", status)
	}
}

func TestAFailureToServeEndsTheDemo(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Setenv("TMPDIR", t.TempDir())
	cfg := config(t)
	cfg.Ready = func(demo.Links) {}
	cfg.Listener.Close()
	if err := demo.Run(t.Context(), cfg); err == nil {
		t.Error("no error")
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	goleak.VerifyNone(t, before)
}

func TestThePastIsThere(t *testing.T) {
	links := start(t)
	b := open(t, links.SignIn)
	ask := func(path string) map[string]any {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.base+path, nil)
		status, answer := b.do(req)
		if status != 200 {
			t.Fatalf("%s: %d %v", path, status, answer)
		}
		return answer
	}
	known := func(answer map[string]any) (known, most int) {
		for _, p := range answer["points"].([]any) {
			if people, ok := p.(map[string]any)["people"].(float64); ok {
				known, most = known+1, max(most, int(people))
			}
		}
		return known, most
	}
	month := time.Now().Add(-30 * 24 * time.Hour).UTC().Format(time.RFC3339)
	for path, people := range map[string]int{"": 30, "&app=charts": 9, "&organization=Harbor+Logistics": 9, "&app=charts&organization=Northwind+Clinic": 9} {
		if n, most := known(ask("/admin/stats/activity?step=1h&from=" + month + path)); n < 700 || n > 718 || most < people || most > 40 {
			t.Errorf("%s: %d of 720 hours are known, with up to %d people", path, n, most)
		}
	}
	if answer := ask("/admin/stats/activity?from=" + month); answer["duration"].(map[string]any)["median_ms"].(float64) < 4*3600*1000 {
		t.Errorf("sessions last %v", answer["duration"])
	}
	if answer := ask("/admin/stats/heatmap"); len(answer["quiet"].([]any)) == 0 || answer["next_quiet"] == nil {
		t.Errorf("nothing is quiet: %v", answer["note"])
	}
}
