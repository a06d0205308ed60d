package server

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"rollcall/store"
	"rollcall/store/storetest"
)

func TestAKeyIsShownOnce(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := cookied(b, b.admin(t))
	made := do(t, b, "POST", "/admin/keys", `{"app":"shop","scopes":["read","sessions","read"]}`, admin).wants(201)["key"].(map[string]any)
	secret := made["secret"].(string)
	if !strings.HasPrefix(secret, "rck_") || len(secret) < len("rck_")+43 {
		t.Errorf("%q is not rck_ and 256 bits", secret)
	}
	if got := fmt.Sprint(made["scopes"]); got != "[sessions read]" {
		t.Errorf("the scopes are %s", got)
	}
	list := do(t, b, "GET", "/admin/keys", nil, admin)
	if keys := list.wants(200)["keys"].([]any); len(keys) != 1 || keys[0].(map[string]any)["id"] != made["id"] {
		t.Errorf("the list is %v", keys)
	}
	if strings.Contains(list.Body.String(), secret) || strings.Contains(list.Body.String(), "secret") {
		t.Errorf("it is shown again: %s", list.Body)
	}
	do(t, b, "GET", "/admin/users/online", nil, bearing(secret)).wants(200)
}

func TestADeletedKeyIsRefusedAtOnceAndItsSessionsGoOn(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := cookied(b, b.admin(t))
	made := do(t, b, "POST", "/admin/keys", `{"app":"shop","scopes":["admin"]}`, admin).wants(201)["key"].(map[string]any)
	secret := made["secret"].(string)
	_, token := b.person(t, secret, "ada")
	do(t, b, "DELETE", "/admin/keys/"+made["id"].(string), nil, admin).wants(200)
	do(t, b, "GET", "/admin/users/online", nil, bearing(secret)).refuses(401, "unauthenticated")
	do(t, b, "POST", "/admin/sessions", `{"user":{"id":"ada"}}`, bearing(secret)).refuses(401, "unauthenticated")
	if got := b.beats(t, token); got != "" {
		t.Errorf("her session has ended: %s", got)
	}
	for _, id := range []string{made["id"].(string), "1", "shop", "0x1"} {
		do(t, b, "DELETE", "/admin/keys/"+id, nil, admin).refuses(404, "not_found")
	}
}

func TestWhichKeysCanBeMade(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := cookied(b, b.admin(t))
	for body, status := range map[string]int{
		`{"app":"shop","scopes":["sessions"]}`:     201,
		`{"app":"Ünïcode app","scopes":["admin"]}`: 201,
		app(64): 201, app(65): 400,
		`{"app":"","scopes":["sessions"]}`:         400,
		`{"app":" shop","scopes":["sessions"]}`:    400,
		`{"app":"rollcall","scopes":["sessions"]}`: 400,
		`{"app":"shop","scopes":[]}`:               400,
		`{"app":"shop"}`:                           400,
		`{"app":"shop","scopes":["root"]}`:         400,
		`{"app":"shop","scopes":"admin"}`:          400,
		`{"app":"shop","scopes":["admin",""]}`:     400,
	} {
		if got := do(t, b, "POST", "/admin/keys", body, admin); got.Code != status {
			t.Errorf("%s: %d %s, want %d", body, got.Code, got.Body, status)
		}
	}
}

func app(length int) string {
	return fmt.Sprintf(`{"app":%q,"scopes":["read"]}`, strings.Repeat("é", length))
}

func TestWhichAccountsCanBeMade(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := cookied(b, b.admin(t))
	account := func(name, password, access string) string {
		return fmt.Sprintf(`{"name":%q,"password":%q,"access":%q}`, name, password, access)
	}
	for body, status := range map[string]int{
		account("Grace.Hopper+1@navy-mil_x", password, "viewer"):             201,
		account(strings.Repeat("n", 64), "kzvqjxwhbtmgcyd", "viewer"):        201,
		account(strings.Repeat("n", 65), password, "viewer"):                 400,
		account("", password, "viewer"):                                      400,
		account("two words", password, "viewer"):                             400,
		account("a/b", password, "viewer"):                                   400,
		account("gräce", password, "viewer"):                                 400,
		account("short", strings.Repeat("ä", 14), "viewer"):                  400,
		account("long", "my own words"+strings.Repeat("p", 988), "viewer"):   201,
		account("longer", "my own words"+strings.Repeat("p", 989), "viewer"): 400,
		account("nothing", password, "none"):                                 400,
		account("root2", password, "root"):                                   400,
		`{"name":"x","password":"correct horse battery staple"}`:             400,
		account("ROOT", password, "admin"):                                   409,
	} {
		if got := do(t, b, "POST", "/admin/accounts", body, admin); got.Code != status {
			t.Errorf("%.80s: %d %s, want %d", body, got.Code, got.Body, status)
		}
	}
	do(t, b, "POST", "/admin/accounts", account("root", password, "viewer"), admin).refuses(409, "name_taken")
	b.signIn(t, "root", password).wants(200) // the one who had the name before
}

func TestADeletedAccountIsOutAtOnce(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin, watch := cookied(b, b.admin(t)), b.account(t, "watch", store.AccessViewer)
	do(t, b, "GET", "/admin/users/online", nil, cookied(b, watch)).wants(200)
	do(t, b, "DELETE", "/admin/accounts/rollcall:watch", nil, admin).wants(200)
	do(t, b, "GET", "/admin/users/online", nil, cookied(b, watch)).refuses(401, "unauthenticated")
	b.signIn(t, "watch", password).refuses(401, "invalid_credentials")
	do(t, b, "DELETE", "/admin/accounts/rollcall:watch", nil, admin).refuses(404, "not_found")
	do(t, b, "DELETE", "/admin/accounts/watch", nil, admin).refuses(404, "not_found")
}

func TestSomebodyMustBeLeftToAdminister(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := cookied(b, b.admin(t))
	b.account(t, "watch", store.AccessViewer)
	b.person(t, b.key(t, "shop", "admin"), "ada")
	do(t, b, "DELETE", "/admin/accounts/rollcall:root", nil, admin).refuses(409, "last_admin")
	do(t, b, "GET", "/auth/me", nil, admin).wants(200)
	do(t, b, "DELETE", "/admin/accounts/ada", nil, admin).refuses(404, "not_found") // a user, but no account
	b.account(t, "second", store.AccessAdmin)
	do(t, b, "DELETE", "/admin/accounts/rollcall:root", nil, admin).wants(200)
}

func TestTwoAdminsDoNotDeleteEachOther(t *testing.T) {
	b := newBench(t, storetest.New(t))
	names := []string{"left", "right"}
	cookies := [2]string{b.account(t, names[0], store.AccessAdmin), b.account(t, names[1], store.AccessAdmin)}
	var both sync.WaitGroup
	var codes [2]int
	for i := range names {
		both.Go(func() {
			codes[i] = do(t, b, "DELETE", "/admin/accounts/rollcall:"+names[1-i], nil, cookied(b, cookies[i])).Code
		})
	}
	both.Wait()
	accounts, err := b.store.Accounts(t.Context())
	if err != nil || len(accounts) != 1 || min(codes[0], codes[1]) != 200 || max(codes[0], codes[1]) == 200 {
		t.Errorf("the answers are %v and the accounts left %v, %v", codes, accounts, err)
	}
}
