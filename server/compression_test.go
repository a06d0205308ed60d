package server

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/server/web"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// plain is the body of an answer as it was before it was compressed.
func plain(w *httptest.ResponseRecorder) ([]byte, error) {
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() == 0 {
		return w.Body.Bytes(), nil
	}
	r, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

var takingGzip = header("Accept-Encoding", "gzip, deflate, br, zstd")

// peopled is a bench whose lists are worth to be compressed, with a key that may read all.
func peopled(t testing.TB) (b *bench, key string) {
	t.Helper()
	b = newBench(t, storetest.New(t))
	key = b.key(t, "shop", "sessions", "read", "admin")
	for i := range 20 {
		b.person(t, key, fmt.Sprint("person", i))
	}
	for i := range 12 {
		do(t, b, "POST", "/admin/keys", fmt.Sprintf(`{"app":"app%d","scopes":["read"]}`, i), bearing(key)).wants(201)
	}
	return b, key
}

func TestAnswersAreCompressedForWhoTakesThemSo(t *testing.T) {
	b, key := peopled(t)
	admin := b.admin(t)
	for _, path := range []string{
		"/admin/users/online", "/admin/sessions", "/admin/audit", "/admin/gate", "/admin/keys", "/admin/stats/heatmap", "/admin/stats/activity",
		"/admin/sessions?format=csv", "/admin/audit?format=csv",
	} {
		as := bearing(key)
		if path == "/admin/keys" {
			as = bearing(admin)
		}
		long := do(t, b, "GET", path, nil, as)
		short := do(t, b, "GET", path, nil, as, takingGzip)
		text, err := plain(short.ResponseRecorder)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if !bytes.Equal(long.Body.Bytes(), text) || short.Code != long.Code {
			t.Errorf("%s: compressed it is another answer: %d %.200s", path, short.Code, text)
		}
		for _, got := range []result{long, short} {
			if vary := got.Header().Get("Vary"); vary != "Accept-Encoding" {
				t.Errorf("%s varies by %q", path, vary)
			}
		}
		if got := long.Header().Get("Content-Encoding"); got != "" {
			t.Errorf("%s: who did not ask for it is sent %s", path, got)
		}
		if got := short.Header().Get("Content-Encoding"); got != "gzip" || short.Body.Len() >= long.Body.Len() {
			t.Errorf("%s: %q, %d bytes, uncompressed %d", path, got, short.Body.Len(), long.Body.Len())
		}
		if got := short.Header().Get("Content-Length"); !strings.HasSuffix(path, "csv") && got != strconv.Itoa(short.Body.Len()) {
			t.Errorf("%s has %d bytes, and says %s", path, short.Body.Len(), got)
		}
		head := do(t, b, "HEAD", path, nil, as, takingGzip)
		if head.Code != short.Code || head.Header().Get("Content-Encoding") != "gzip" || head.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("HEAD %s: %d %v", path, head.Code, head.Header())
		}
	}
}

func TestWhatIsShortIsNotCompressed(t *testing.T) {
	b, key := peopled(t)
	for _, path := range []string{"/healthz", "/admin/drain", "/admin/users/online?q=nobody"} {
		if got := do(t, b, "GET", path, nil, bearing(key), takingGzip); got.Header().Get("Content-Encoding") != "" || got.Body.Len() >= 1024 {
			t.Errorf("%s: %d bytes, %v", path, got.Body.Len(), got.Header())
		}
	}
}

// TestAnAnswerWithASecretIsNotCompressed has keys and tokens that are long: else the answers would be too short to be
// compressed anyway.
func TestAnAnswerWithASecretIsNotCompressed(t *testing.T) {
	b := newBench(t, storetest.New(t))
	secret := strings.Repeat("secret", 1000)
	for path, answer := range map[string]any{
		"/admin/keys":     web.Reply{Status: 201, Body: api.CreatedKey{Key: api.Key{Secret: secret}}},
		"/admin/sessions": api.CreatedKey{Key: api.Key{Secret: secret}},
		"/auth/login":     web.Reply{Status: 200, Body: map[string]string{"token": secret}, Complete: true},
		"/file": web.Download{Write: func(w http.ResponseWriter) error {
			_, err := io.WriteString(w, secret)
			return err
		}},
	} {
		r := httptest.NewRequest("POST", path, nil)
		takingGzip(r)
		w := httptest.NewRecorder()
		b.respond.Succeed(w, r, answer)
		if h := w.Header(); h.Get("Content-Encoding") != "" || h.Get("Vary") != "" || !strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s: %v, %d bytes", path, h, w.Body.Len())
		}
	}
}

// TestNoAnswerToAQuestionHasASecret is why such answers may be compressed.
func TestNoAnswerToAQuestionHasASecret(t *testing.T) {
	b, key := peopled(t)
	code := b.setUpCode(t)
	admin := b.admin(t)
	_, token := b.person(t, key, "ada")
	secrets := canaries{"key": key, "token of a panel's session": admin, "token of a session": token, "code": code}
	for _, route := range b.routes() {
		if route.method != "GET" || route.answer == nil {
			continue
		}
		path := strings.NewReplacer("{id}", "ada").Replace(route.path)
		for _, as := range []string{key, admin, token} {
			secrets.in(t, path, do(t, b, "GET", path, nil, bearing(as)).Body.String())
		}
	}
}

// TestAFileIsCompressedOnItsWay asks over a network, whose answers net/http completes.
func TestAFileIsCompressedOnItsWay(t *testing.T) {
	b, key := peopled(t)
	listening := httptest.NewServer(b.Handler())
	defer listening.Close()
	for _, path := range []string{"/admin/sessions?format=csv", "/admin/users/person1/export"} {
		for _, method := range []string{"GET", "HEAD"} {
			r, err := http.NewRequestWithContext(t.Context(), method, listening.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+key)
			r.Header.Set("Accept-Encoding", "gzip")
			got, err := listening.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer got.Body.Close()
			if got.StatusCode != 200 || got.Header.Get("Content-Encoding") != "gzip" || got.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s %s: %s %v", method, path, got.Status, got.Header)
			}
			if method == "HEAD" {
				if got.ContentLength != -1 {
					t.Errorf("HEAD %s says that there are %d bytes", path, got.ContentLength)
				}
				continue
			}
			unpacked, err := gzip.NewReader(got.Body)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(unpacked); err != nil || !bytes.Contains(text, []byte("person1")) {
				t.Errorf("GET %s: %v, %.300s", path, err, text)
			}
		}
	}
}

// TestOurOwnClientTakesAnswersCompressed has Go's transport ask for it and unpack.
func TestOurOwnClientTakesAnswersCompressed(t *testing.T) {
	b, key := peopled(t)
	codings := make(chan string, 2)
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.Handler().ServeHTTP(w, r)
		codings <- w.Header().Get("Content-Encoding")
	}))
	defer listening.Close()
	asks := client.New(listening.URL, key)
	defer asks.Close()
	online, err := asks.Online(t.Context(), client.OnlineFilter{})
	if coding := <-codings; err != nil || online.Count != 20 || coding != "gzip" {
		t.Errorf("%d people by %q, %v", online.Count, coding, err)
	}
	gate, err := asks.Gate(t.Context(), client.GateQuestion{})
	if coding := <-codings; err != nil || gate.Level != presence.GateHold || coding != "gzip" { // with status 409
		t.Errorf("the gate says %q by %q, %v", gate.Level, coding, err)
	}
}
