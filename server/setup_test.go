package server

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"rollcall/store"
	"rollcall/store/storetest"
)

func (b *bench) setUp(t testing.TB, code, name, password string, opts ...func(*http.Request)) result {
	t.Helper()
	return do(t, b, "POST", "/setup", map[string]any{"code": code, "name": name, "password": password}, opts...)
}

func (b *bench) setUpCode(t testing.TB) string {
	t.Helper()
	code, err := b.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestTheFirstAccountNeedsTheCodeFromTheTerminal(t *testing.T) {
	b := newBench(t, storetest.New(t))
	code := b.setUpCode(t)
	if again := b.setUpCode(t); len(code) < 26 || again != code {
		t.Fatalf("the codes are %q and %q", code, again)
	}
	for path, elsewhere := range map[string]string{"/": "setup", "/login": "setup", "/integrate": "setup", "/sessions": "setup", "/history": "setup", "/settings": "setup", "/deploy": "setup", "/account": "setup", "/password": "setup"} {
		if got := do(t, b, "GET", path, nil); got.Code != 303 || got.Header().Get("Location") != elsewhere {
			t.Errorf("%s before the set-up: %d %s", path, got.Code, got.Header().Get("Location"))
		}
	}
	do(t, b, "GET", "/setup", nil).wants(200)
	b.setUp(t, "WRONG", "root", password).refuses(403, "wrong_code")
	b.setUp(t, "", "root", password).refuses(403, "wrong_code")
	b.setUp(t, code, "root", "fourteen chars").refuses(400, "invalid_request")
	b.setUp(t, code, "no such name", password).refuses(400, "invalid_request")
	b.setUp(t, code, "root", password, header("Origin", "https://evil.example")).refuses(403, "cross_origin")

	made := b.setUp(t, code, "Root", password)
	if user := made.wants(201)["user"].(map[string]any); user["name"] != "root" || user["access"] != "admin" {
		t.Errorf("made %v", user)
	}
	do(t, b, "GET", "/admin/accounts", nil, with(made.Result().Cookies())).wants(200) // signed in
	if after := b.setUpCode(t); after != "" {
		t.Errorf("the code is still %q", after)
	}
	b.setUp(t, code, "second", password).refuses(409, "already_set_up")
	b.setUp(t, "WRONG", "second", password).refuses(409, "already_set_up")
	if got := do(t, b, "GET", "/setup", nil); got.Code != 303 || got.Header().Get("Location") != "./" {
		t.Errorf("the page afterwards: %d %s", got.Code, got.Header().Get("Location"))
	}
}

func TestTheSetUpCodeCanNotBeGuessedAtWill(t *testing.T) {
	b := newBench(t, storetest.New(t))
	for range accountTries {
		b.setUp(t, "WRONG", "root", password).refuses(403, "wrong_code")
	}
	b.setUp(t, b.setUpCode(t), "root", password).refuses(429, "too_many_attempts")
	b.setUp(t, b.setUpCode(t), "root", password, from("198.51.100.1")).wants(201)
}

func TestTheSetUpHasACountOfItsOwn(t *testing.T) {
	b := newBench(t, storetest.New(t))
	for i := range networkTries {
		b.signIn(t, fmt.Sprint("name", i), "wrong")
	}
	b.signIn(t, "one-more", "wrong").refuses(429, "too_many_attempts")
	b.setUp(t, b.setUpCode(t), "root", password).wants(201)

	b = newBench(t, storetest.New(t))
	b.admin(t)
	for range accountTries {
		b.setUp(t, "WRONG", "root", password).refuses(409, "already_set_up")
	}
	b.signIn(t, "root", password).wants(200)
}

func TestOfAHundredSetUpsAtOnceOneSucceeds(t *testing.T) {
	b := newBench(t, storetest.New(t))
	code := b.setUpCode(t)
	const racers = 100
	codes := make([]int, racers)
	start, finish := make(chan struct{}), sync.WaitGroup{}
	for i := range racers {
		finish.Go(func() {
			<-start
			codes[i] = b.setUp(t, code, fmt.Sprint("racer", i), password, from(fmt.Sprintf("10.0.%d.1", i))).Code
		})
	}
	close(start)
	finish.Wait()
	count := map[int]int{}
	for _, code := range codes {
		count[code]++
	}
	if count[201] != 1 || count[409]+count[429] != racers-1 || count[409] == 0 { // only so many wait for their password to be hashed
		t.Errorf("the answers: %v, want one 201, and 409 or 429 for %d", count, racers-1)
	}
	accounts, err := b.store.Accounts(t.Context())
	if err != nil || len(accounts) != 1 || accounts[0].Access != store.AccessAdmin {
		t.Errorf("the accounts: %v, %v", accounts, err)
	}
}
