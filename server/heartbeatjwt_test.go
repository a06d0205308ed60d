package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"rollcall/server/jwt"
	"rollcall/store/storetest"
)

const signingSecret = "a secret of the application, of 40 bytes"

// signs returns a token of the application crm.
func (b *bench) signs(t *testing.T, secret string, changed string) string {
	t.Helper()
	return b.signsWith(t, jose.SigningKey{Algorithm: jose.HS256, Key: []byte(secret)}, changed)
}

func (b *bench) signsWith(t *testing.T, key jose.SigningKey, changed string) string {
	t.Helper()
	claims := map[string]any{"sub": "42", "sid": "s1", "name": "Ada Lovelace", "exp": b.now().Add(15 * time.Minute).Unix()}
	if err := json.Unmarshal([]byte(changed), &claims); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// signedBench is a server that takes signed tokens of crm.
func signedBench(t *testing.T) *bench {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(signingSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := jwt.NewKeys("hs256:" + file)
	if err != nil {
		t.Fatal(err)
	}
	return newBench(t, storetest.New(t), func(c *Config) { c.Signed = jwt.Issuers{{App: "crm", Keys: keys}} })
}

func TestASignedTokenBeginsAndContinuesItsSession(t *testing.T) {
	b := signedBench(t)
	admin := b.key(t, "ops", "admin")
	session := func() string {
		t.Helper()
		sessions := b.people(t, admin, "?app=crm")["42"]["sessions"].([]any)
		if len(sessions) != 1 {
			t.Fatalf("there are %d sessions", len(sessions))
		}
		return sessions[0].(map[string]any)["id"].(string)
	}
	if got := b.beats(t, b.signs(t, signingSecret, `{"email":"ada@example.com"}`)); got != "" {
		t.Fatalf("the first heartbeat: %s", got)
	}
	if ada := b.people(t, admin, "?app=crm")["42"]; ada["name"] != "Ada Lovelace" || ada["email"] != "ada@example.com" {
		t.Errorf("she is %v", ada)
	}
	first := session()
	for range 20 { // each token lasts for a quarter of an hour
		b.clock.advance(time.Minute)
		if got := b.beats(t, b.signs(t, signingSecret, `{}`)); got != "" {
			t.Fatalf("a later token: %s", got)
		}
	}
	if later := session(); later != first {
		t.Errorf("it is another session, %s, than %s", later, first)
	}
	b.clock.advance(25 * time.Hour)
	if got := b.beats(t, b.signs(t, signingSecret, `{}`)); got != "" || session() == first {
		t.Errorf("after a day's absence: %q", got)
	}
	do(t, b, "DELETE", "/admin/sessions/"+session(), nil, bearing(admin)).wants(200)
	b.clock.advance(time.Minute)
	for _, token := range []string{b.signs(t, signingSecret, `{}`), b.signs(t, signingSecret, `{"iat":1}`)} {
		if got := b.beats(t, token); got != "revoked" {
			t.Errorf("after it was revoked: %q", got)
		}
	}
	if got := b.beats(t, b.signs(t, signingSecret, `{"sid":"s2"}`)); got != "" {
		t.Errorf("who has signed in anew: %q", got)
	}
}

func TestATokenThatIsNotSignedByTheIssuerBeginsNothing(t *testing.T) {
	b := signedBench(t)
	for name, token := range map[string]string{
		"of another secret": b.signs(t, strings.Repeat("x", 40), `{}`),
		"that has expired":  b.signs(t, signingSecret, `{"exp":1}`),
		"for nobody":        b.signs(t, signingSecret, `{"sub":""}`),
		"that is no token":  "ey-not.a.token-at-all",
	} {
		if got := b.beats(t, token); got != "unknown" {
			t.Errorf("a token %s: %q", name, got)
		}
	}
	do(t, b, "POST", "/admin/users/heartbeat", fmt.Sprintf(`{"sessionToken":%q,"leaving":true}`, b.signs(t, signingSecret, `{}`))).refuses(404, "session_ended")
	do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(b.signs(t, signingSecret, `{"sub":"rollcall:root"}`))).refuses(400, "invalid_request")
	if people := b.people(t, b.key(t, "ops", "read"), ""); len(people) != 0 {
		t.Errorf("there are %v", people)
	}
	if strings.Contains(b.logs.String(), "eyJ") {
		t.Errorf("the log has a token: %s", b.logs)
	}
}

func TestSessionsThatTokensDoNotNameAreToldApartByTheBrowser(t *testing.T) {
	b := signedBench(t)
	for _, client := range []string{"firefox", "chrome", "firefox"} {
		body := fmt.Sprintf(`{"sessionToken":%q,"client":%q}`, b.signs(t, signingSecret, fmt.Sprintf(`{"sid":null,"n":%q}`, client)), client)
		do(t, b, "POST", "/admin/users/heartbeat", body).wants(200)
	}
	if got := b.people(t, b.key(t, "ops", "read"), "")["42"]["session_count"]; got != 2.0 {
		t.Errorf("there are %v sessions", got)
	}
}

func TestWhereTheKeysCanNotBeReadAPageTriesAgain(t *testing.T) {
	var away atomic.Bool
	away.Store(true)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if away.Load() {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, `{"keys":[]}`)
	}))
	defer site.Close()
	keys, err := jwt.NewKeys(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, storetest.New(t), func(c *Config) { c.Signed = jwt.Issuers{{App: "crm", Keys: keys}} })
	token := "eyJhbGciOiJSUzI1NiIsImtpZCI6Im9uZSJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"
	do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(token)).refuses(503, "unavailable")
	do(t, b, "POST", "/admin/users/heartbeat", nil, bearing(token)).refuses(503, "unavailable")
	if lines := strings.Count(b.logs.String(), "keys of signed tokens"); lines != 1 {
		t.Errorf("the log has %d lines: %s", lines, b.logs)
	}
}
