package server

import (
	"encoding/base64"
	"image/png"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"rollcall/store"
	"rollcall/store/storetest"
)

const chosen = "four other words in a row"

// invite makes an account that waits for its password, and returns the secret of its link.
func (b *bench) invite(t testing.TB, name string) string {
	t.Helper()
	_, link, err := b.store.Invite(t.Context(), b.now(), "user:root", store.AccountInput{Name: name, Access: store.AccessViewer})
	if err != nil {
		t.Fatal(err)
	}
	return link.Secret
}

// codeOf is what an authenticator app with this secret shows now.
func (b *bench) codeOf(t testing.TB, secret string) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, b.now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// addTOTP has an authenticator app for an account. It returns its secret and the recovery codes.
func (b *bench) addTOTP(t testing.TB, name string) (secret string, recovery []string) {
	t.Helper()
	in, err := b.store.SignInAs(t.Context(), b.now(), store.AccountID(name), store.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	signedIn := together(cookied(b, in.Token), from("2001:db8:1::1"))
	secret = do(t, b, "POST", "/auth/totp", map[string]any{"password": password}, signedIn).wants(200)["secret"].(string)
	answer := do(t, b, "POST", "/auth/totp/confirm", map[string]any{"totp": b.codeOf(t, secret)}, signedIn).wants(200)
	for _, code := range answer["recovery_codes"].([]any) {
		recovery = append(recovery, code.(string))
	}
	return secret, recovery
}

func (b *bench) signInWith(t testing.TB, name, code string, opts ...func(*http.Request)) result {
	t.Helper()
	return do(t, b, "POST", "/auth/login", map[string]any{"name": name, "password": password, "totp": code}, opts...)
}

func TestChangingOnesOwnPassword(t *testing.T) {
	b := newBench(t, storetest.New(t))
	here, there := cookied(b, b.account(t, "watch", store.AccessViewer)), with(b.signIn(t, "watch", password).Result().Cookies())
	change := func(current, next string) result {
		t.Helper()
		return do(t, b, "POST", "/auth/password", map[string]any{"current_password": current, "password": next}, here)
	}
	change("a wrong password", chosen).refuses(403, "wrong_password")
	change(password, "fourteen chars").refuses(400, "invalid_request")
	do(t, b, "GET", "/auth/me", nil, there).wants(200)
	change(password, chosen).wants(200)
	do(t, b, "GET", "/auth/me", nil, here).wants(200)
	do(t, b, "GET", "/auth/me", nil, there).refuses(401, "unauthenticated")
	b.signIn(t, "watch", password).refuses(401, "invalid_credentials")
	b.signIn(t, "watch", chosen).wants(200)
	want := []string{"user:rollcall:watch account.password ", "user:rollcall:watch account.not_confirmed wrong password", "user:root account.create viewer"}
	if diff := cmp.Diff(want, b.recordedActions(t, "account")); diff != "" {
		t.Errorf("the audit log (-want +got):\n%s", diff)
	}
}

func TestTheCurrentPasswordCanNotBeGuessedBySomebodyAtTheScreen(t *testing.T) {
	for path, body := range map[string]map[string]any{
		"/auth/password":     {"current_password": "a wrong password", "password": chosen},
		"/auth/totp":         {"password": "a wrong password"},
		"/auth/totp/remove":  {"password": "a wrong password", "totp": "123456"},
		"/auth/totp/confirm": {"totp": "123456"},
	} {
		t.Run(path, func(t *testing.T) {
			b := newBench(t, storetest.New(t))
			here := cookied(b, b.account(t, "watch", store.AccessViewer))
			do(t, b, "POST", "/auth/totp", map[string]any{"password": password}, here).wants(200)
			for range accountTries - 1 {
				if got := do(t, b, "POST", path, body, here); got.Code != 403 {
					t.Fatalf("%d %s", got.Code, got.Body)
				}
			}
			do(t, b, "POST", path, body, here).refuses(429, "too_many_attempts")
			b.signIn(t, "watch", password).refuses(429, "too_many_attempts") // they are counted together
		})
	}
}

func TestAddingAnAuthenticatorApp(t *testing.T) {
	b := newBench(t, storetest.New(t), public("https://rollcall.example:8443"))
	ours := together(host("rollcall.example:8443"), cookied(b, b.account(t, "watch", store.AccessViewer)))
	made := do(t, b, "POST", "/auth/totp", map[string]any{"password": password}, ours).wants(200)
	key, err := otp.NewKeyFromURL(made["uri"].(string))
	if err != nil || key.Issuer() != "Rollcall rollcall.example" || key.AccountName() != "watch" || key.Secret() != made["secret"] || key.Period() != 30 || key.Digits() != otp.DigitsSix || key.Algorithm() != otp.AlgorithmSHA1 {
		t.Errorf("%v, %v", key, err)
	}
	image, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(strings.TrimPrefix(made["qr_code"].(string), "data:image/png;base64,"))))
	if err != nil || image.Bounds().Dx() != 240 {
		t.Errorf("the image: %v", err)
	}
	own := func() map[string]any { return do(t, b, "GET", "/auth/account", nil, ours).wants(200) }
	if got := own(); got["has_totp"] != false || got["name"] != "watch" {
		t.Errorf("%v", got)
	}
	confirm := func(code string) result {
		t.Helper()
		return do(t, b, "POST", "/auth/totp/confirm", map[string]any{"totp": code}, ours)
	}
	confirm("").refuses(403, "invalid_code")
	codes := confirm(b.codeOf(t, key.Secret())).wants(200)["recovery_codes"].([]any)
	confirm(b.codeOf(t, key.Secret())).refuses(409, "no_totp")
	do(t, b, "POST", "/auth/totp", map[string]any{"password": password}, ours).refuses(409, "totp_exists")
	if got := own(); got["has_totp"] != true || got["recovery_codes"] != 10.0 {
		t.Errorf("%v", got)
	}
	remove := func(code string) result {
		t.Helper()
		return do(t, b, "POST", "/auth/totp/remove", map[string]any{"password": password, "totp": code}, ours)
	}
	remove("").refuses(400, "invalid_request")
	remove(codes[0].(string)).wants(200)
	remove(codes[1].(string)).refuses(409, "no_totp")
	if got := own(); got["has_totp"] != false || got["recovery_codes"] != 0.0 {
		t.Errorf("%v", got)
	}
}

func TestASignInWithACode(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.account(t, "watch", store.AccessViewer)
	secret, recovery := b.addTOTP(t, "watch")
	b.clock.advance(time.Hour)
	wrong, unknown := b.signIn(t, "watch", "a wrong password"), b.signIn(t, "nobody", "a wrong password")
	if wrong.refuses(401, "invalid_credentials"); wrong.Body.String() != unknown.Body.String() {
		t.Errorf("before the password is right it tells of the app: %s", wrong.Body)
	}
	half := b.signIn(t, "watch", password)
	if half.refuses(401, "code_needed"); len(half.Result().Cookies()) > 0 {
		t.Errorf("the password alone gives cookies: %v", half.Result().Cookies())
	}
	b.signInWith(t, "watch", "000000x").refuses(401, "invalid_code")
	in := b.signInWith(t, "watch", b.codeOf(t, secret))
	in.wants(200)
	do(t, b, "GET", "/auth/me", nil, with(in.Result().Cookies())).wants(200)
	b.signInWith(t, "watch", b.codeOf(t, secret)).refuses(401, "invalid_code")
	b.signInWith(t, "watch", strings.ToLower(recovery[0])).wants(200)
	b.signInWith(t, "watch", recovery[0]).refuses(401, "invalid_code")
	want := []string{"user:rollcall:watch panel.sign_in with a recovery code; 9 left", "user:rollcall:watch panel.sign_in with a code"}
	if diff := cmp.Diff(want, b.recordedActions(t, "panel.sign_in")[:2]); diff != "" {
		t.Errorf("the audit log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"unknown panel.code_failed the password was right"}, b.recordedActions(t, "panel.code_failed")); diff != "" {
		t.Errorf("the audit log of wrong codes (-want +got):\n%s", diff)
	}
}

func TestWrongCodesFromManyNetworksAreCountedTogether(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.account(t, "watch", store.AccessViewer)
	secret, recovery := b.addTOTP(t, "watch")
	b.clock.advance(time.Hour)
	for i := range 5 {
		b.signInWith(t, "watch", "12345", from("10."+string(rune('1'+i))+".0.1")).refuses(401, "invalid_code")
	}
	got := b.signInWith(t, "watch", b.codeOf(t, secret), from("10.9.0.1"))
	got.refuses(429, "too_many_attempts")
	if wait := got.Header().Get("Retry-After"); wait != "301" {
		t.Errorf("Retry-After is %q", wait)
	}
	b.signInWith(t, "watch", recovery[0], from("10.9.0.1")).wants(200)
}

func TestAnInvitationFromTheLinkToTheSignIn(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := cookied(b, b.admin(t))
	made := do(t, b, "POST", "/admin/accounts", `{"name":"Grace","access":"viewer"}`, admin).wants(201)
	account, path := made["account"].(map[string]any), made["link"].(map[string]any)["path"].(string)
	secret, ok := strings.CutPrefix(path, "password#")
	if !ok || account["has_password"] != false || account["link_expires_at"] == nil {
		t.Fatalf("%v", made)
	}
	list := do(t, b, "GET", "/admin/accounts", nil, admin)
	if list.wants(200); strings.Contains(list.Body.String(), secret) || strings.Contains(list.Body.String(), "rcl_") {
		t.Errorf("the list shows it again: %s", list.Body)
	}
	b.signIn(t, "grace", "").refuses(401, "invalid_credentials")
	page := do(t, b, "GET", "/password", nil)
	if page.wants(200); page.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the page's headers are %v", page.Header())
	}
	look := func() result { return do(t, b, "POST", "/auth/link", map[string]any{"secret": secret}) }
	for range 3 {
		if got := look().wants(200); got["name"] != "grace" || got["has_password"] != false {
			t.Errorf("%v", got)
		}
	}
	use := func(password string, opts ...func(*http.Request)) result {
		t.Helper()
		return do(t, b, "POST", "/auth/link/password", map[string]any{"secret": secret, "password": password}, opts...)
	}
	use(chosen, header("Origin", "https://evil.example")).refuses(403, "cross_origin")
	use("fourteen chars").refuses(400, "invalid_request")
	in := use(chosen)
	if in.wants(200)["signed_in"] != true {
		t.Errorf("%s", in.Body)
	}
	if me := do(t, b, "GET", "/auth/me", nil, with(in.Result().Cookies())).wants(200)["user"].(map[string]any); me["id"] != "rollcall:grace" || me["access"] != "viewer" {
		t.Errorf("signed in as %v", me)
	}
	used, unknown := use(chosen), do(t, b, "POST", "/auth/link", `{"secret":"rcl_nobody"}`)
	if used.refuses(410, "link_gone"); used.Body.String() != unknown.Body.String() {
		t.Errorf("it tells why: %s, %s", used.Body, unknown.Body)
	}
	b.signIn(t, "grace", chosen).wants(200)
	if strings.Contains(b.logs.String(), secret) {
		t.Error("the log has the secret")
	}
	if diff := cmp.Diff([]string{"user:rollcall:grace account.password by a link", "user:rollcall:root account.create viewer, invited"}, b.recordedActions(t, "account")[:2]); diff != "" {
		t.Errorf("the audit log (-want +got):\n%s", diff)
	}
}

func TestOfTwoUsesOfAnInvitationAtOnceOneWins(t *testing.T) {
	b := newBench(t, storetest.New(t))
	secret := b.invite(t, "grace")
	var both sync.WaitGroup
	var codes [2]int
	for i, password := range []string{"the password of the first", "the password of the second"} {
		both.Go(func() {
			codes[i] = do(t, b, "POST", "/auth/link/password", map[string]any{"secret": secret, "password": password}).Code
		})
	}
	both.Wait()
	if min(codes[0], codes[1]) != 200 || max(codes[0], codes[1]) != 410 {
		t.Errorf("the answers are %v", codes)
	}
}

func TestLinksOfAccounts(t *testing.T) {
	b := newBench(t, storetest.New(t))
	admin := cookied(b, b.admin(t))
	watch := cookied(b, b.account(t, "watch", store.AccessViewer))
	secret, _ := b.addTOTP(t, "watch")
	path := "/admin/accounts/rollcall:watch/link"
	link := func() string {
		t.Helper()
		made := do(t, b, "POST", path, nil, admin).wants(201)["link"].(map[string]any)
		return strings.TrimPrefix(made["path"].(string), "password#")
	}
	gone := func(secret string) {
		t.Helper()
		do(t, b, "POST", "/auth/link", map[string]any{"secret": secret}).refuses(410, "link_gone")
	}
	first := link()
	second := link()
	gone(first)
	do(t, b, "DELETE", path, nil, admin).wants(200)
	do(t, b, "DELETE", path, nil, admin).refuses(404, "not_found")
	gone(second)
	third := link()
	b.clock.advance(72 * time.Hour)
	gone(third)
	admin = cookied(b, b.panelToken(t, "root"))
	do(t, b, "POST", "/admin/accounts/rollcall:root/link", nil, admin).refuses(403, "forbidden") // of one's own the password is asked for
	do(t, b, "DELETE", "/admin/accounts/rollcall:root/totp", nil, admin).refuses(403, "forbidden")
	for _, unknown := range []string{"rollcall:nobody", "watch"} {
		do(t, b, "POST", "/admin/accounts/"+unknown+"/link", nil, admin).refuses(404, "not_found")
		do(t, b, "DELETE", "/admin/accounts/"+unknown+"/link", nil, admin).refuses(404, "not_found")
		do(t, b, "DELETE", "/admin/accounts/"+unknown+"/totp", nil, admin).refuses(404, "not_found")
	}
	fourth := link()
	if got := do(t, b, "POST", "/auth/link", map[string]any{"secret": fourth}).wants(200); got["has_password"] != true {
		t.Errorf("%v", got)
	}
	used := do(t, b, "POST", "/auth/link/password", map[string]any{"secret": fourth, "password": password})
	if used.wants(200)["signed_in"] != false || len(used.Result().Cookies()) > 0 {
		t.Errorf("a link alone signs in somebody with an app: %s %v", used.Body, used.Result().Cookies())
	}
	do(t, b, "GET", "/auth/me", nil, watch).refuses(401, "unauthenticated")
	b.signInWith(t, "watch", b.codeOf(t, secret)).wants(200)
	do(t, b, "DELETE", "/admin/accounts/rollcall:watch/totp", nil, admin).wants(200)
	b.signIn(t, "watch", password).wants(200)
	if got := b.recordedActions(t, "account"); got[0] != "user:rollcall:root account.totp_reset " {
		t.Errorf("the audit log has %q", got)
	}
}

func (b *bench) panelToken(t testing.TB, account string) string {
	t.Helper()
	login, err := b.store.SignInAs(t.Context(), b.now(), store.AccountID(account), store.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	return login.Token
}

func TestLinksCanNotBeTriedAtWill(t *testing.T) {
	for path, body := range map[string]string{"/auth/link": `{"secret":"GUESS"}`, "/auth/link/password": `{"secret":"GUESS","password":"` + password + `"}`} {
		b := newBench(t, storetest.New(t))
		b.admin(t)
		for range networkTries {
			do(t, b, "POST", path, body).refuses(410, "link_gone")
		}
		do(t, b, "POST", path, body).refuses(429, "too_many_attempts")
		b.signIn(t, "root", password).wants(200) // which has a count of its own
	}
}

func TestALinkThatNobodyHasCostsNoHash(t *testing.T) {
	b := newBench(t, storetest.New(t))
	guess := func() result {
		return do(t, b, "POST", "/auth/link/password", map[string]any{"secret": "rcl_nobody", "password": password})
	}
	if got, hashed := hashing(guess); got.Code != 410 || hashed {
		t.Errorf("%d, hashed: %v", got.Code, hashed)
	}
}
