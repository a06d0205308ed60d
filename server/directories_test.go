package server

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store/storetest"
)

// twoAdas is a bench on which shop and blog each have an Ada of the same id, by keys that may do all that an
// application may.
type twoAdas struct {
	*bench
	shop, blog, ops    string // keys: sessions, sessions, and admin of a third app
	session, ada, hers string // of shop's Ada: session, token; and the token of blog's
}

func newTwoAdas(t *testing.T) *twoAdas {
	t.Helper()
	b := &twoAdas{bench: newBench(t, storetest.New(t))}
	b.shop, b.blog, b.ops = b.key(t, "shop", "sessions"), b.key(t, "blog", "sessions"), b.key(t, "ops", "admin")
	report := `{"user":{"id":"ada","name":"Ada of shop","email":"ada@shop.example","role":"admin","team":"core","organization":"Acme"},"session_key":"hers"}`
	made := do(t, b.bench, "POST", "/admin/sessions", report, bearing(b.shop)).wants(201)["session"].(map[string]any)
	b.session, b.ada = made["id"].(string), made["token"].(string)
	_, b.hers = b.person(t, b.blog, "ada")
	for _, token := range []string{b.ada, b.hers} {
		if got := b.beats(t, token); got != "" {
			t.Fatal(got)
		}
	}
	do(t, b.bench, "PUT", "/admin/users/ada/status", `{"status":"busy","text":"On stage"}`, bearing(b.shop)).wants(200)
	return b
}

// held is all that is held on shop's Ada, but when it was asked.
func (b *twoAdas) held(t *testing.T) map[string]any {
	t.Helper()
	all := do(t, b.bench, "GET", "/admin/users/ada/export?directory=shop", nil, bearing(b.ops)).wants(200)
	b.auditWrites.Wait()
	delete(all, "timestamp")
	delete(all, "audit") // in which it stands that somebody asked
	return all
}

func TestAKeyDoesNothingToThePeopleOfAnotherApp(t *testing.T) {
	b := newTwoAdas(t)
	before := b.held(t)
	for name, ask := range map[string]struct {
		method, path string
		body         any
		status       int
	}{
		"rename":             {"PUT", "/admin/users/ada", `{"name":"Mallory"}`, 200},
		"move":               {"PUT", "/admin/users/ada", `{"organization":"Evil"}`, 200},
		"change the role":    {"PUT", "/admin/users/ada", `{"role":"none"}`, 200},
		"lower the access":   {"PUT", "/admin/users/ada", `{"access":"none"}`, 200},
		"report":             {"POST", "/admin/sessions", `{"user":{"id":"ada","name":"Mallory","organization":"Evil"}}`, 201},
		"report by a name":   {"POST", "/admin/sessions", `{"user":{"id":"ada"},"session_key":"hers"}`, 201},
		"take the token":     {"POST", "/admin/sessions", map[string]any{"user": map[string]any{"id": "ada"}, "session_token": b.ada}, 409},
		"replace the token":  {"POST", "/admin/sessions", map[string]any{"user": map[string]any{"id": "ada"}, "session_token": "Zq8vT4bLzC7wR1mKfY5hJ0dPaUe9gN2s", "previous_token": b.ada}, 201},
		"claim":              {"PUT", "/admin/users/ada/status", `{"status":"away"}`, 200},
		"take back a claim":  {"DELETE", "/admin/users/ada/status", nil, 200},
		"end by the token":   {"POST", "/admin/sessions/end", map[string]any{"session_token": b.ada}, 200},
		"end by the id":      {"POST", "/admin/sessions/end", map[string]any{"id": b.session}, 200},
		"end by the name":    {"POST", "/admin/sessions/end", map[string]any{"session_key": "hers"}, 200},
		"end by the key":     {"POST", "/admin/sessions/end", map[string]any{"user": "shop/ada"}, 200},
		"end all":            {"POST", "/admin/sessions/end", map[string]any{"user": "ada", "reason": "password_changed"}, 200},
		"rename by the key":  {"PUT", "/admin/users/shop%2Fada", `{"name":"Mallory"}`, 200},
		"delete by the key":  {"DELETE", "/admin/users/shop%2Fada", nil, 200},
		"claim by the key":   {"PUT", "/admin/users/shop%2Fada/status", `{"status":"away"}`, 404},
		"claim with one":     {"PUT", "/admin/users/ada/status?directory=shop", `{"status":"away"}`, 403},
		"take back with one": {"DELETE", "/admin/users/ada/status?directory=shop", nil, 403},
		"delete with one":    {"DELETE", "/admin/users/ada?directory=shop", nil, 403},
		"end with one":       {"POST", "/admin/sessions/end", map[string]any{"user": "ada", "directory": "shop"}, 400},
		"delete":             {"DELETE", "/admin/users/ada", nil, 200},
	} {
		do(t, b.bench, "PUT", "/admin/users/ada", `{}`, bearing(b.blog)).wants(200) // blog's own, whatever became of her before
		do(t, b.bench, "PUT", "/admin/users/shop%2Fada", `{}`, bearing(b.blog)).wants(200)
		if name == "claim by the key" {
			do(t, b.bench, "DELETE", "/admin/users/shop%2Fada", nil, bearing(b.blog)).wants(200)
		}
		if got := do(t, b.bench, ask.method, ask.path, ask.body, bearing(b.blog)); got.Code != ask.status {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
		if diff := cmp.Diff(before, b.held(t)); diff != "" {
			t.Fatalf("%s changed somebody of another app:\n%s", name, diff)
		}
	}
	if got := b.beats(t, b.ada); got != "" {
		t.Errorf("her session has ended: %s", got)
	}
}

func TestAKeyLearnsNothingOfThePeopleOfAnotherApp(t *testing.T) {
	b := newTwoAdas(t)
	answers := []result{
		do(t, b.bench, "PUT", "/admin/users/ada", `{}`, bearing(b.blog)),
		do(t, b.bench, "PUT", "/admin/users/ada/status", `{"status":"away"}`, bearing(b.blog)),
		do(t, b.bench, "GET", "/auth/me", nil, bearing(b.hers)),
		do(t, b.bench, "POST", "/admin/sessions/check", map[string]any{"session_token": b.ada}, bearing(b.blog)),
		do(t, b.bench, "POST", "/admin/sessions/check", map[string]any{"session_key": "hers"}, bearing(b.blog)),
		do(t, b.bench, "DELETE", "/admin/users/ada/status", nil, bearing(b.blog)),
	}
	for _, path := range []string{"/admin/users/ada/explain", "/admin/users/ada/export", "/admin/sessions?user=ada", "/admin/users/online", "/admin/notices"} {
		answers = append(answers, do(t, b.bench, "GET", path, nil, bearing(b.blog)))
		if got := answers[len(answers)-1].Code; got != 403 {
			t.Errorf("%s: %d", path, got)
		}
	}
	for _, answer := range answers {
		text := answer.Body.String()
		for _, word := range []string{"of shop", "shop.example", "Acme", "core", "On stage", "busy", `"admin"`, `"active":true`} {
			if strings.Contains(text, word) {
				t.Errorf("an application is told %s: %s", word, text)
			}
		}
	}
	do(t, b.bench, "PUT", "/admin/drain", `{"message":"Back soon"}`, bearing(b.ops)).wants(200)
	do(t, b.bench, "POST", "/admin/sessions/may", `{"user":{"id":"ada"}}`, bearing(b.shop)).wants(200) // who has the role admin
	do(t, b.bench, "POST", "/admin/sessions/may", `{"user":{"id":"ada"}}`, bearing(b.blog)).refuses(503, "draining")
}

func TestAccessInOneAppIsNoneInAnother(t *testing.T) {
	b := newBench(t, storetest.New(t))
	shop, blog := b.key(t, "shop", "admin"), b.key(t, "blog", "admin")
	do(t, b, "PUT", "/admin/users/ada", `{"access":"admin"}`, bearing(shop)).wants(200)
	_, ours := b.person(t, shop, "ada")
	_, theirs := b.person(t, blog, "ada")
	do(t, b, "GET", "/admin/keys", nil, bearing(ours)).wants(200)
	do(t, b, "GET", "/admin/keys", nil, bearing(theirs)).refuses(403, "forbidden")
}

func TestWhoseIDSeveralHaveIsNamedWithTheDirectory(t *testing.T) {
	b := newTwoAdas(t)
	b.person(t, b.shop, "bob")
	for _, ask := range []struct {
		method, path string
		body         func(id, directory string) any
	}{
		{"GET", "/admin/users/ID/explain?DIRECTORY", nil},
		{"GET", "/admin/users/-/explain?id=ID&DIRECTORY", nil},
		{"GET", "/admin/users/ID/export?DIRECTORY", nil},
		{"GET", "/admin/sessions?user=ID&DIRECTORY", nil},
		{"POST", "/admin/sessions/revoke", func(id, directory string) any {
			return map[string]any{"user": id, "directory": directory, "dry_run": true}
		}},
		{"POST", "/admin/users/ID/erase?DIRECTORY", func(id, _ string) any { return map[string]any{"confirm": id} }},
	} {
		request := func(id, directory string) result {
			path := strings.NewReplacer("ID", id, "DIRECTORY", "directory="+directory).Replace(ask.path)
			var body any
			if ask.body != nil {
				body = ask.body(id, directory)
			}
			return do(t, b.bench, ask.method, path, body, bearing(b.ops))
		}
		refusal := request("ada", "").refuses(409, "ambiguous_user")
		if want := `Several people have the id "ada"; say in which directory: blog, shop`; refusal["error"] != want {
			t.Errorf("%s: %v, want %s", ask.path, refusal["error"], want)
		}
		request("bob", "").wants(200)
		text := request("ada", "shop")
		if text.wants(200); strings.Contains(ask.path, "export") && !strings.Contains(text.Body.String(), "Ada of shop") {
			t.Errorf("%s with the directory: %s", ask.path, text.Body)
		}
	}
	do(t, b.bench, "GET", "/admin/sessions?directory=shop", nil, bearing(b.ops)).refuses(400, "invalid_request")
	do(t, b.bench, "POST", "/admin/sessions/revoke", `{"app":"shop","directory":"shop"}`, bearing(b.ops)).refuses(400, "invalid_request")
	if got := do(t, b.bench, "GET", "/admin/users/ada/export", nil, bearing(b.ops)).wants(200)["user"].(map[string]any); got["directory"] != "blog" || got["id"] != "ada" {
		t.Errorf("who is left after the erasure: %v", got)
	}
	if got := b.beats(t, b.ada); got == "" {
		t.Error("who was erased is still logged in")
	}
}

func TestAnAdminKeyChangesAnothersPersonAndMakesNone(t *testing.T) {
	b := newTwoAdas(t)
	put := func(path, credential string) result {
		return do(t, b.bench, "PUT", path, `{"team":"engines"}`, bearing(credential))
	}
	if user := put("/admin/users/ada?directory=shop", b.ops).wants(200)["user"].(map[string]any); user["directory"] != "shop" || user["team"] != "engines" || user["name"] != "Ada of shop" {
		t.Errorf("changed: %v", user)
	}
	put("/admin/users/nobody?directory=shop", b.ops).refuses(404, "user_not_found")
	put("/admin/users/ada?directory=nosuch", b.ops).refuses(404, "user_not_found")
	put("/admin/users/ada?directory=shop", b.blog).refuses(403, "forbidden")
	if user := put("/admin/users/ada", b.ops).wants(200)["user"].(map[string]any); user["directory"] != "ops" {
		t.Errorf("by a key without a word of another's: %v", user)
	}
}

func TestWhereTheApplicationIsSaidItSaysWhoseIDIsMeant(t *testing.T) {
	b := newTwoAdas(t)
	list := func(query string) result { return do(t, b.bench, "GET", "/admin/sessions?"+query, nil, bearing(b.ops)) }
	for _, app := range []string{"shop", "blog"} {
		sessions := list("user=ada&app=" + app).wants(200)["sessions"].([]any)
		if len(sessions) != 1 || sessions[0].(map[string]any)["app"] != app {
			t.Errorf("of %s: %v", app, sessions)
		}
	}
	list("user=ada&app=nosuchapp").refuses(400, "invalid_request")
	ended := do(t, b.bench, "POST", "/admin/sessions/revoke", `{"user":"ada","app":"shop"}`, bearing(b.ops)).wants(200)
	if ended["count"] != 1.0 {
		t.Errorf("%v were ended", ended["count"])
	}
	if left := list("user=ada&app=blog&state=active").wants(200)["sessions"].([]any); len(left) != 1 {
		t.Errorf("the other has %d sessions", len(left))
	}
}

func TestWhoSignedTokensNameIsOfTheDirectoryOfTheirApplication(t *testing.T) {
	for directory, want := range map[string]string{"": "crm", "staff": "staff"} {
		b := signedBench(t)
		ops := b.key(t, "ops", "admin")
		if directory != "" {
			b.directory = directory
			b.person(t, b.key(t, "wiki", "sessions"), "42")
			b.key(t, "crm", "read")
		}
		if got := b.beats(t, b.signs(t, signingSecret, `{}`)); got != "" {
			t.Fatal(got)
		}
		users := do(t, b, "GET", "/admin/users/online", nil, bearing(ops)).wants(200)["users"].([]any)
		if who := users[0].(map[string]any); len(users) != 1 || who["directory"] != want || who["id"] != "42" {
			t.Errorf("of the directory %q: %v", directory, users)
		}
	}
}

func TestTheAuditLogIsAskedAboutAUserByTheID(t *testing.T) {
	b := newTwoAdas(t)
	b.person(t, b.shop, "bob")
	admin := b.admin(t)
	for _, path := range []string{"/admin/users/bob/explain", "/admin/users/ada/explain?directory=shop"} {
		do(t, b.bench, "GET", path, nil, bearing(b.ops)).wants(200)
	}
	for query, want := range map[string]string{"target=user:bob": "user:shop/bob", "target=user:shop/bob": "user:shop/bob", "target=user:shop/ada": "user:shop/ada"} {
		if got := b.recorded(t, admin, "?action=user.view&"+query); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %v", query, got)
		}
	}
	do(t, b.bench, "GET", "/admin/audit?target=user:ada", nil, bearing(b.ops)).refuses(409, "ambiguous_user")
	do(t, b.bench, "GET", "/admin/audit?actor=user:ada", nil, bearing(b.ops)).refuses(409, "ambiguous_user")
	if got := b.recorded(t, admin, "?target=user:nobody"); len(got) != 0 {
		t.Errorf("of nobody: %v", got)
	}
}

func TestTwoOfOneIDAreTwoInTheList(t *testing.T) {
	b := newTwoAdas(t)
	body := do(t, b.bench, "GET", "/admin/users/online?sort=name", nil, bearing(b.ops)).wants(200)
	got := map[string]string{}
	for _, user := range body["users"].([]any) {
		u := user.(map[string]any)
		got[fmt.Sprint(u["directory"], " ", u["id"])] = fmt.Sprint(u["name"], " ", u["status"], " ", u["apps"])
	}
	want := map[string]string{"shop ada": "Ada of shop busy [shop]", "blog ada": "ada available [blog]"}
	if diff := cmp.Diff(want, got); diff != "" || body["count"] != 2.0 {
		t.Errorf("%v: %s", body["count"], diff)
	}
	do(t, b.bench, "POST", "/admin/sessions/end", `{"user":"ada"}`, bearing(b.blog)).wants(200)
	blocking := do(t, b.bench, "GET", "/admin/gate", nil, bearing(b.ops)).wants(409)["blocking"].([]any)
	if who := blocking[0].(map[string]any); len(blocking) != 1 || who["directory"] != "shop" || who["id"] != "ada" {
		t.Errorf("in the way: %v", blocking)
	}
}

func TestTheFeedTellsTwoOfOneIDApart(t *testing.T) {
	onAFeed(t, func(t *testing.T, s *served, r *reader) {
		shop, blog := s.key(t, "shop", "sessions"), s.key(t, "blog", "sessions")
		tells := func(want ...string) {
			t.Helper()
			time.Sleep(2 * time.Second) // of the test's time
			synctest.Wait()
			var got []string
			for len(r.read) > 0 {
				if e := r.next(); e.Type != "gate" {
					got = append(got, e.Type+" "+e.Directory+e.User.Directory+" "+e.UserID+e.User.ID)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
		}
		s.person(t, shop, "ada")
		tells("online shop ada")
		s.person(t, blog, "ada")
		tells("online blog ada")
		do(t, s.bench, "DELETE", "/admin/users/ada", nil, bearing(blog)).wants(200)
		tells("session_ended blog ada", "offline blog ada")
	})
}

func TestAnAppsPeopleAreInOneDirectory(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := b.admin(t)
	for _, step := range []struct {
		name, body string
		status     int
		want       string // the directory, or the problem
	}{
		{"an app has its own", `{"app":"shop","scopes":["sessions"]}`, 201, "shop"},
		{"a slash is not in it", `{"app":"org/shop","scopes":["sessions"]}`, 201, "org%2Fshop"},
		{"a further key has the same", `{"app":"shop","scopes":["read"]}`, 201, "shop"},
		{"several have one in common", `{"app":"crm","directory":"staff","scopes":["sessions"]}`, 201, "staff"},
		{"the second, too", `{"app":"wiki","directory":"staff","scopes":["sessions"]}`, 201, "staff"},
		{"and a further key of it", `{"app":"wiki","scopes":["sessions"]}`, 201, "staff"},
		{"an app's own may be shared", `{"app":"cash","directory":"shop","scopes":["sessions"]}`, 201, "shop"},
		{"another for the same app", `{"app":"shop","directory":"staff","scopes":["sessions"]}`, 400, `the people of app "shop" are in the directory "shop"`},
		{"another case is a slip", `{"app":"Shop","scopes":["sessions"]}`, 400, `there is an app "shop" already`},
		{"also with a directory", `{"app":"CRM","directory":"crm","scopes":["sessions"]}`, 400, `there is an app "crm" already`},
		{"a name that others share", `{"app":"staff","scopes":["sessions"]}`, 400, `the people of app "crm" are in a directory "staff"`},
		{"the same, on purpose", `{"app":"staff","directory":"staff","scopes":["sessions"]}`, 201, "staff"},
		{"a slash", `{"app":"a","directory":"b/c","scopes":["sessions"]}`, 400, "no slash"},
		{"a space", `{"app":"a","directory":" b","scopes":["sessions"]}`, 400, "no space"},
		{"the panel's", `{"app":"a","directory":"rollcall","scopes":["sessions"]}`, 400, "the panel's own"},
		{"that of nobody's people", `{"app":"?","scopes":["sessions"]}`, 400, "the panel's own"},
	} {
		got := do(t, b, "POST", "/admin/keys", step.body, cookied(b, admin))
		if got.Code != step.status {
			t.Errorf("%s: %d %s", step.name, got.Code, got.Body)
			continue
		}
		if step.status == 400 {
			if problem := fmt.Sprint(got.refuses(400, "invalid_request")["error"]); !strings.Contains(problem, step.want) {
				t.Errorf("%s: %s", step.name, problem)
			}
		} else if key := got.wants(201)["key"].(map[string]any); key["directory"] != step.want {
			t.Errorf("%s: %v", step.name, key)
		}
	}
}

func TestAKeyWithoutADirectoryByASlipIsMadeAnewWithOne(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := b.admin(t)
	create := func(directory string) result {
		return do(t, b, "POST", "/admin/keys", map[string]any{"app": "crm", "directory": directory, "scopes": []string{"sessions"}}, cookied(b, admin))
	}
	remove := func(key map[string]any) {
		do(t, b, "DELETE", "/admin/keys/"+key["id"].(string), nil, cookied(b, admin)).wants(200)
	}
	key := create("").wants(201)["key"].(map[string]any)
	create("staff").refuses(400, "invalid_request")
	remove(key)
	key = create("staff").wants(201)["key"].(map[string]any)
	b.person(t, key["secret"].(string), "ada")
	remove(key)
	create("crm").refuses(400, "invalid_request") // who is known of it would be another person from then on
	create("").wants(201)
}
