package server

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/store/storetest"
)

func TestWhatALoginSaysOfItsUser(t *testing.T) {
	full := map[string]any{"id": "ada", "name": "Ada", "email": "a@x", "role": "dev", "team": "core", "organization": "Engines", "access": "viewer"}
	with := func(changes ...string) map[string]any {
		want := map[string]any{}
		for name, value := range full {
			want[name] = value
		}
		for i := 0; i < len(changes); i += 2 {
			want[changes[i]] = changes[i+1]
		}
		return want
	}
	for name, test := range map[string]struct {
		second string
		want   map[string]any
	}{
		"what is left out stays":             {`{}`, full},
		"what is null stays":                 {`{"name":null,"email":null,"organization":null,"access":null}`, full},
		"an empty text clears":               {`{"name":"","email":"","role":"","team":"","organization":""}`, with("name", "", "email", "", "role", "", "team", "", "organization", "")},
		"first and last name are the name":   {`{"first_name":"Ada","last_name":"Lovelace"}`, with("name", "Ada Lovelace")},
		"a first name alone is the name":     {`{"first_name":"Countess"}`, with("name", "Countess")},
		"a last name alone is the name":      {`{"first_name":"","last_name":"Lovelace"}`, with("name", "Lovelace")},
		"the name wins over its parts":       {`{"name":"A. L.","first_name":"Ada"}`, with("name", "A. L.")},
		"empty parts clear the name":         {`{"first_name":"","last_name":""}`, with("name", "")},
		"another organization":               {`{"organization":"Analytics"}`, with("organization", "Analytics")},
		"the same access again is no change": {`{"access":"viewer"}`, full},
		"a text in another script":           {`{"name":"Ада 👩‍💻 \"<b>\""}`, with("name", `Ада 👩‍💻 "<b>"`)},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.New(t))
			key := b.key(t, "shop", "admin")
			do(t, b, "POST", "/admin/sessions", map[string]any{"user": full}, bearing(key)).wants(201)
			got := do(t, b, "PUT", "/admin/users/ada", test.second, bearing(key)).wants(200)["user"].(map[string]any)
			if got["directory"] != "shop" {
				t.Errorf("the directory is %v", got["directory"])
			}
			delete(got, "directory")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("by PUT:\n%s", diff)
			}
			do(t, b, "PUT", "/admin/users/ada", full, bearing(key)).wants(200)
			report := fmt.Sprintf(`{"user":{"id":"ada",%s`, strings.TrimPrefix(test.second, "{"))
			do(t, b, "POST", "/admin/sessions", strings.Replace(report, ",}", "}", 1)+"}", bearing(key)).wants(201)
			ada := b.people(t, key, "")["ada"]
			for field, shown := range map[string]string{"name": "name", "email": "email", "role": "role", "team": "team_name", "organization": "organization_name"} {
				if ada[shown] != test.want[field] {
					t.Errorf("by login: %s is %q, want %q", shown, ada[shown], test.want[field])
				}
			}
		})
	}
}

func TestAUserWithoutANameIsShownByID(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	b.person(t, key, "ada")
	if got := b.people(t, key, "")["ada"]["name"]; got != "ada" {
		t.Errorf("got %q", got)
	}
}

func TestASessionHasNeverMoreAccessThanItsKeyCouldGrant(t *testing.T) {
	for name, test := range map[string]struct {
		scopes []string
		access string
		capped bool   // the application is told that it may not grant this
		may    string // "none", "viewer" or "admin": what the session may do
	}{
		"sessions grants none":          {[]string{"sessions"}, "none", false, "none"},
		"sessions does not grant view":  {[]string{"sessions"}, "viewer", true, "none"},
		"sessions does not grant admin": {[]string{"sessions"}, "admin", true, "none"},
		"read grants view":              {[]string{"sessions", "read"}, "viewer", false, "viewer"},
		"read does not grant admin":     {[]string{"sessions", "read"}, "admin", true, "none"},
		"admin grants admin":            {[]string{"admin"}, "admin", false, "admin"},
		"admin grants view":             {[]string{"admin"}, "viewer", false, "viewer"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.New(t))
			key := b.key(t, "shop", test.scopes...)
			got := do(t, b, "POST", "/admin/sessions", map[string]any{"user": map[string]any{"id": "ada", "access": test.access}}, bearing(key)).wants(201)
			if capped := strings.Contains(fmt.Sprint(got["warnings"]), "access_capped"); capped != test.capped {
				t.Errorf("it is warned %v", got["warnings"])
			}
			token := got["session"].(map[string]any)["token"].(string)
			me := do(t, b, "GET", "/auth/me", nil, bearing(token)).wants(200)["user"].(map[string]any)
			if me["access"] != test.may {
				t.Errorf("the session may %v, want %s", me["access"], test.may)
			}
		})
	}
}

func TestAWeakerKeyNeitherLendsNorTakesAccess(t *testing.T) {
	b := newBench(t, storetest.New(t))
	strong, weak := b.key(t, "shop", "admin"), b.key(t, "shop", "sessions")
	do(t, b, "PUT", "/admin/users/ada", `{"access":"admin"}`, bearing(strong)).wants(200)

	_, token := b.person(t, weak, "ada") // an admin's login by a key that can not grant anything
	do(t, b, "GET", "/admin/users/online", nil, bearing(token)).refuses(403, "forbidden")
	for _, access := range []string{"none", "viewer"} {
		do(t, b, "PUT", "/admin/users/ada", map[string]any{"access": access}, bearing(weak)).refuses(403, "forbidden")
	}
	do(t, b, "PUT", "/admin/users/ada", `{"access":"admin","name":"Ada"}`, bearing(weak)).wants(200) // no change of access
	do(t, b, "DELETE", "/admin/users/ada", nil, bearing(weak)).refuses(403, "forbidden")
	do(t, b, "PUT", "/admin/users/eve", `{"access":"viewer"}`, bearing(weak)).refuses(403, "forbidden")
	if got := do(t, b, "PUT", "/admin/users/ada", `{}`, bearing(strong)).wants(200)["user"].(map[string]any); got["access"] != "admin" {
		t.Errorf("her access is %v", got["access"])
	}
}

func TestLoweredAccessCountsAtTheNextRequest(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	made := do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada","access":"admin"}}`, bearing(key)).wants(201)
	ada := bearing(made["session"].(map[string]any)["token"].(string))
	do(t, b, "GET", "/admin/keys", nil, ada).wants(200)
	do(t, b, "PUT", "/admin/users/ada", `{"access":"viewer"}`, bearing(key)).wants(200)
	do(t, b, "GET", "/admin/keys", nil, ada).refuses(403, "forbidden")
	do(t, b, "GET", "/admin/users/online", nil, ada).wants(200)
	do(t, b, "PUT", "/admin/users/ada", `{"access":"none"}`, bearing(key)).wants(200)
	do(t, b, "GET", "/admin/users/online", nil, ada).refuses(403, "forbidden")
	do(t, b, "GET", "/auth/me", nil, ada).wants(200) // still logged in
}

func TestADeletedUserIsGoneWithAllSessions(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "sessions")
	var tokens []string
	for range 3 {
		_, token := b.person(t, key, "ada")
		tokens = append(tokens, token)
	}
	if got := do(t, b, "DELETE", "/admin/users/ada", nil, bearing(key)).wants(200); got["ended_sessions"] != 3.0 {
		t.Errorf("got %v", got)
	}
	for _, token := range tokens {
		if b.beats(t, token) == "" {
			t.Error("a session goes on")
		}
	}
	do(t, b, "DELETE", "/admin/users/ada", nil, bearing(key)).refuses(404, "user_not_found")
}

func TestAKeyDeletesNobodyWhomAnotherAppOfTheDirectoryKnows(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.directory = "staff"
	shop, blog, admin := b.key(t, "shop", "sessions"), b.key(t, "blog", "sessions"), b.key(t, "ops", "admin")
	_, token := b.person(t, shop, "ada")
	b.person(t, blog, "ada")
	do(t, b, "DELETE", "/admin/users/ada", nil, bearing(blog)).refuses(403, "forbidden")
	if got := b.beats(t, token); got != "" {
		t.Errorf("her session has ended: %s", got)
	}
	do(t, b, "DELETE", "/admin/users/ada", nil, bearing(admin)).wants(200)
}

func TestAUserIDMayHoldAnyCharacter(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	for id, path := range map[string]string{
		"a/b": "a%2Fb", "..": "%2E%2E", "heartbeat": "heartbeat", "online": "online", "ä€": "%C3%A4%E2%82%AC", "a b+c": "a%20b+c",
		"50%": "50%25", "a//b": "a%2F%2Fb", "x?y#z": "x%3Fy%23z", "cleanup-sessions": "cleanup-sessions",
	} {
		got := do(t, b, "PUT", "/admin/users/"+path, `{"name":"X"}`, bearing(key)).wants(200)["user"].(map[string]any)
		if got["id"] != id {
			t.Errorf("%s: got %q, want %q", path, got["id"], id)
		}
		do(t, b, "PUT", "/admin/users/"+path, map[string]any{"id": "another"}, bearing(key)).refuses(400, "invalid_request")
		do(t, b, "DELETE", "/admin/users/"+path, nil, bearing(key)).wants(200)

		query := "?id=" + url.QueryEscape(id) // for proxies that do not let every path through
		if got := do(t, b, "PUT", "/admin/users/-"+query, `{"name":"X"}`, bearing(key)).wants(200)["user"].(map[string]any); got["id"] != id {
			t.Errorf("%s: got %q, want %q", query, got["id"], id)
		}
		do(t, b, "GET", "/admin/users/-/explain"+query, nil, bearing(key)).wants(200)
		do(t, b, "PUT", "/admin/users/-/status"+query, `{"status":"busy"}`, bearing(key)).wants(200)
		do(t, b, "GET", "/admin/users/-/export"+query, nil, bearing(key)).wants(200)
		do(t, b, "DELETE", "/admin/users/-"+query, nil, bearing(key)).wants(200)
	}
	if got := do(t, b, "PUT", "/admin/users/-", `{"name":"X"}`, bearing(key)).wants(200)["user"].(map[string]any); got["id"] != "-" {
		t.Errorf("who is called - is %q", got["id"])
	}
	do(t, b, "DELETE", "/admin/users/-?id=a&id=b", nil, bearing(key)).refuses(400, "invalid_request")
	do(t, b, "DELETE", "/admin/users/-?id=%00", nil, bearing(key)).refuses(400, "invalid_request")
	do(t, b, "DELETE", "/admin/users/-?id=", nil, bearing(key)).refuses(404, "user_not_found")
	do(t, b, "PUT", "/admin/users/a%00b", `{"name":"X"}`, bearing(key)).refuses(400, "invalid_request")
	do(t, b, "PUT", "/admin/users/a", `{"name":"X\u0000"}`, bearing(key)).refuses(400, "invalid_request")
	do(t, b, "DELETE", "/admin/users/a%00b", nil, bearing(key)).refuses(400, "invalid_request")
}

func TestAnAccountIsNoUserOfAnApplication(t *testing.T) {
	b := newBench(t, storetest.New(t))
	panel, key := b.admin(t), b.key(t, "shop", "admin")
	do(t, b, "POST", "/admin/sessions", `{"user":{"id":"rollcall:root"}}`, bearing(key)).refuses(400, "invalid_request")
	do(t, b, "PUT", "/admin/users/rollcall:root", `{"name":"Mallory"}`, bearing(key)).refuses(400, "invalid_request")
	do(t, b, "DELETE", "/admin/users/rollcall:root", nil, bearing(key)).refuses(404, "user_not_found")
	do(t, b, "POST", "/admin/keys", `{"app":"rollcall","scopes":["sessions"]}`, bearing(key)).refuses(400, "invalid_request")
	do(t, b, "GET", "/auth/me", nil, cookied(b, panel)).wants(200)
}
