package jwt

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

var now = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

var secret = []byte("a secret of the application, of 40 bytes")

// signer signs tokens of one key.
type signer struct {
	algorithm jose.SignatureAlgorithm
	key       any
	id        string
}

func (s signer) sign(t *testing.T, claims any) string {
	t.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	with, err := jose.NewSigner(jose.SigningKey{Algorithm: s.algorithm, Key: jose.JSONWebKey{Key: s.key, KeyID: s.id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := with.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0") // for the key that is too short
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// write returns the name of a file.
func write(t *testing.T, text []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func set(t *testing.T, keys ...jose.JSONWebKey) []byte {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func keysOf(t *testing.T, source string) *Keys {
	t.Helper()
	keys, err := NewKeys(source)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// claims are those of a token that is right, with some changed; nil removes one.
func claims(changed map[string]any) map[string]any {
	all := map[string]any{"iss": "https://id.example", "sub": "42", "aud": []string{"rollcall", "crm"}, "sid": "s1",
		"iat": now.Unix() - 60, "exp": now.Unix() + 900, "name": "Ada Lovelace"}
	maps.Copy(all, changed)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

func TestOnlyATokenOfTheIssuerForUsAndOfNowIsRead(t *testing.T) {
	own, other, ec := rsaKey(t, 2048), rsaKey(t, 2048), ecKey(t)
	public, err := x509.MarshalPKIXPublicKey(&own.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	crm := Issuer{App: "crm", Name: "https://id.example", Audience: "crm",
		Keys: keysOf(t, write(t, set(t, jose.JSONWebKey{Key: &own.PublicKey, KeyID: "one", Algorithm: "RS256"}, jose.JSONWebKey{Key: &ec.PublicKey, KeyID: "two"})))}
	one, two := signer{jose.RS256, own, "one"}, signer{jose.ES256, ec, "two"}
	unsigned := func(header string) string {
		text, _ := json.Marshal(claims(nil))
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(text) + "."
	}
	parts := strings.Split(one.sign(t, claims(nil)), ".")
	for name, token := range map[string]string{
		"by one of its keys":      one.sign(t, claims(nil)),
		"by the other":            two.sign(t, claims(nil)),
		"a minute past its time":  one.sign(t, claims(map[string]any{"exp": now.Unix() - 59})),
		"for one audience":        one.sign(t, claims(map[string]any{"aud": "crm"})),
		"that is valid in a bit":  one.sign(t, claims(map[string]any{"nbf": now.Unix() + 59})),
		"that names no key":       signer{jose.RS256, own, ""}.sign(t, claims(nil)),
		"with claims nobody asks": one.sign(t, claims(map[string]any{"x": map[string]any{"y": []any{1, nil}}})),
	} {
		login, err := crm.read(t.Context(), now, token, "")
		if err != nil || login.App != "crm" || login.User.ID != "42" || *login.User.Name != "Ada Lovelace" {
			t.Errorf("a token %s: %+v, %v", name, login, err)
		}
	}
	for name, token := range map[string]string{
		"of another key":                 signer{jose.RS256, other, "one"}.sign(t, claims(nil)),
		"of another key without a name":  signer{jose.RS256, other, ""}.sign(t, claims(nil)),
		"of an unknown key":              signer{jose.RS256, own, "three"}.sign(t, claims(nil)),
		"by another algorithm of a key":  signer{jose.RS512, own, "one"}.sign(t, claims(nil)),
		"by none":                        unsigned(`{"alg":"none"}`),
		"by NONE":                        unsigned(`{"alg":"NONE","kid":"one"}`),
		"by the public key as a secret":  signer{jose.HS256, asPEM, "one"}.sign(t, claims(nil)),
		"whose claims were changed":      parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"1","exp":99999999999}`)) + "." + parts[2],
		"without its signature":          parts[0] + "." + parts[1] + ".",
		"that has expired":               one.sign(t, claims(map[string]any{"exp": now.Unix() - 61})),
		"that never expires":             one.sign(t, claims(map[string]any{"exp": nil})),
		"that is not valid yet":          one.sign(t, claims(map[string]any{"nbf": now.Unix() + 61})),
		"of the future":                  one.sign(t, claims(map[string]any{"iat": now.Unix() + 61})),
		"of another issuer":              one.sign(t, claims(map[string]any{"iss": "https://id.example/"})),
		"of no issuer":                   one.sign(t, claims(map[string]any{"iss": nil})),
		"for another audience":           one.sign(t, claims(map[string]any{"aud": "billing"})),
		"for nobody":                     one.sign(t, claims(map[string]any{"aud": nil})),
		"of nobody":                      one.sign(t, claims(map[string]any{"sub": nil})),
		"of a subject that is too long":  one.sign(t, claims(map[string]any{"sub": strings.Repeat("x", 201)})),
		"with a subject that is no text": one.sign(t, claims(map[string]any{"sub": 42})),
		"that is none":                   "ey.ey.ey",
	} {
		if login, err := crm.read(t.Context(), now, token, ""); !errors.Is(err, ErrRefused) {
			t.Errorf("a token %s is read: %+v, %v", name, login, err)
		} else if strings.Contains(err.Error(), token) {
			t.Errorf("the reason has the token: %v", err)
		}
	}
}

func TestASecretSignsToo(t *testing.T) {
	issuer := Issuer{App: "shop", Keys: keysOf(t, "hs256:"+write(t, append(secret, '\n')))}
	if login, err := issuer.read(t.Context(), now, signer{jose.HS256, secret, ""}.sign(t, claims(nil)), ""); err != nil || login.User.ID != "42" {
		t.Errorf("%+v, %v", login, err)
	}
	for name, token := range map[string]string{
		"another secret":    signer{jose.HS256, []byte("another secret of the same length, or so"), ""}.sign(t, claims(nil)),
		"another algorithm": signer{jose.HS512, append(secret, secret...), ""}.sign(t, claims(nil)),
	} {
		if _, err := issuer.read(t.Context(), now, token, ""); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysThatProveNothingAreRefusedAtTheStart(t *testing.T) {
	private := ecKey(t)
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]string{
		"a short secret":          "hs256:" + write(t, []byte("short")),
		"no file":                 "/nowhere/keys",
		"no keys":                 write(t, []byte(`{"keys":[]}`)),
		"nonsense":                write(t, []byte(`nonsense`)),
		"a secret among the keys": write(t, set(t, jose.JSONWebKey{Key: secret, KeyID: "one"})),
		"a private key":           write(t, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
		"a short key":             write(t, set(t, jose.JSONWebKey{Key: &rsaKey(t, 1024).PublicKey})),
		"an address in the clear": "http://id.example/keys",
		"another kind of address": "ftp://id.example/keys",
	} {
		if _, err := NewKeys(source); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestNewKeysAreFetchedOnceAMinuteAtMost(t *testing.T) {
	old, fresh := ecKey(t), ecKey(t)
	var asked atomic.Int64
	var served atomic.Value
	served.Store(set(t, jose.JSONWebKey{Key: &old.PublicKey, KeyID: "old"}))
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if text := served.Load().([]byte); len(text) > 0 {
			w.Write(text)
			return
		}
		http.Error(w, "away", http.StatusBadGateway)
	}))
	defer site.Close()
	issuer := Issuer{App: "crm", Keys: keysOf(t, site.URL)}
	read := func(at time.Time, by signer, questions int64) error {
		t.Helper()
		_, err := issuer.read(t.Context(), at, by.sign(t, claims(nil)), "")
		if asked.Load() != questions {
			t.Errorf("%d questions were asked, want %d", asked.Load(), questions)
		}
		return err
	}
	if asked.Load() != 0 {
		t.Error("it was asked before there was a token")
	}
	served.Store([]byte{})
	if err := read(now, signer{jose.ES256, old, "old"}, 1); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("where the keys can not be read a token is refused: %v", err)
	}
	served.Store(set(t, jose.JSONWebKey{Key: &old.PublicKey, KeyID: "old"}))
	if err := read(now.Add(time.Minute), signer{jose.ES256, old, "old"}, 2); err != nil {
		t.Error(err)
	}
	served.Store(set(t, jose.JSONWebKey{Key: &fresh.PublicKey, KeyID: "new"}))
	for range 20 {
		if err := read(now.Add(119*time.Second), signer{jose.ES256, fresh, "new"}, 2); !errors.Is(err, ErrRefused) {
			t.Error(err)
		}
	}
	if err := read(now.Add(2*time.Minute), signer{jose.ES256, fresh, "new"}, 3); err != nil {
		t.Error(err)
	}
	if err := read(now.Add(4*time.Minute), signer{jose.ES256, old, "old"}, 4); !errors.Is(err, ErrRefused) {
		t.Errorf("a key that was withdrawn: %v", err)
	}
}

func TestTheSessionIsTheOneThatTheTokenNames(t *testing.T) {
	key := func(changed map[string]any, browser string) string {
		all := claims(changed)
		text, _ := json.Marshal(all)
		var parsed map[string]any
		_ = json.Unmarshal(text, &parsed)
		login, err := Issuer{App: "crm", Keys: keysOf(t, "hs256:"+write(t, secret))}.read(context.Background(), now, signer{jose.HS256, secret, ""}.sign(t, all), browser)
		if err != nil {
			t.Fatal(err)
		}
		return login.SessionKey
	}
	same := key(nil, "firefox")
	for name, c := range map[string]struct {
		changed map[string]any
		browser string
		same    bool
	}{
		"a later token":                {map[string]any{"iat": now.Unix(), "exp": now.Unix() + 3600, "jti": "x"}, "firefox", true},
		"the same in another browser":  {nil, "chrome", true},
		"another session":              {map[string]any{"sid": "s2"}, "firefox", false},
		"another person":               {map[string]any{"sub": "43"}, "firefox", false},
		"another issuer":               {map[string]any{"iss": "https://other.example"}, "firefox", false},
		"no session, the same browser": {map[string]any{"sid": nil}, "firefox", false},
	} {
		if got := key(c.changed, c.browser); (got == same) != c.same {
			t.Errorf("%s is the same session: %v", name, got == same)
		}
	}
	none := map[string]any{"sid": nil, "auth_time": 1}
	firefox, again := key(none, "firefox"), key(none, "firefox")
	if firefox == key(none, "chrome") || firefox == key(map[string]any{"sid": nil, "auth_time": 2}, "firefox") || firefox != again {
		t.Error("without a session the browser and the sign-in do not tell it")
	}
}

func TestTheUsersOfTheUsualIssuers(t *testing.T) {
	for name, c := range map[string]struct{ token, mapping, want string }{
		"Auth0":    {`{"sub":"auth0|507f","nickname":"ada","name":"Ada L.","email":"ada@example.com","org_id":"org_1","org_name":"acme"}`, "", "auth0|507f, Ada L., ada@example.com, , , acme"},
		"Keycloak": {`{"sub":"f:1","preferred_username":"ada","email":"ada@example.com","realm_access":{"roles":["editor","user"]}}`, "role=realm_access.roles", "f:1, ada, ada@example.com, editor, , "},
		"Supabase": {`{"sub":"9b1","role":"authenticated","email":"ada@example.com","session_id":"s","user_metadata":{"full_name":"Ada L."}}`, "", "9b1, Ada L., ada@example.com, authenticated, , "},
		"Firebase": {`{"sub":"u1","user_id":"u1","name":"Ada L.","email":"ada@example.com","firebase":{"tenant":"acme"}}`, "organization=firebase.tenant", "u1, Ada L., ada@example.com, , , acme"},
		"Clerk":    {`{"sub":"user_1","sid":"sess_1","org_slug":"acme","org_role":"admin"}`, "role=org_role", "user_1, , , admin, , acme"},
		"our own":  {`{"sub":"1","tenant":{"name":"Acme"},"teams":["red","blue"],"https://app.example/role":"boss","n":7}`, "organization=tenant.name, team=teams.1,role=https://app.example/role,name=n", "1, 7, , boss, blue, Acme"},
		"a list":   {`{"sub":"1","role":[],"name":["  Ada  ","B"],"email":{"a":1}}`, "", "1, Ada, , , , "},
	} {
		mapping, err := ParseClaims(c.mapping)
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]any
		if err := json.Unmarshal([]byte(c.token), &all); err != nil {
			t.Fatal(err)
		}
		u := mapping.user(all["sub"].(string), all)
		text := func(s *string) string {
			if s == nil {
				return ""
			}
			return *s
		}
		got := fmt.Sprintf("%s, %s, %s, %s, %s, %s", u.ID, text(u.Name), text(u.Email), text(u.Role), text(u.Team), text(u.Organization))
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	for _, text := range []string{"organization", "id=x", "organization=", "=x"} {
		if _, err := ParseClaims(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestKeysAreNotTakenFromWhereAnAddressLeads(t *testing.T) {
	key := ecKey(t)
	text := set(t, jose.JSONWebKey{Key: &key.PublicKey, KeyID: "one"})
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/keys", http.StatusFound)
			return
		}
		w.Write(text)
	}))
	defer site.Close()
	for path, taken := range map[string]bool{"/keys": true, "/moved": false} {
		issuer := Issuer{App: "crm", Keys: keysOf(t, site.URL+path)}
		if _, err := issuer.read(t.Context(), now, signer{jose.ES256, key, "one"}.sign(t, claims(nil)), ""); (err == nil) != taken {
			t.Errorf("%s: %v", path, err)
		}
	}
}
