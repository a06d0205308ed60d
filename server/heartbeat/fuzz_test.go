package heartbeat

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/web"
)

func FuzzHeartbeatBody(f *testing.F) {
	for _, body := range []string{"", "{}", "null", "[]", `{"sessionToken":"abc","idle_ms":5,"visible":true,"page":"/a?b#c","leaving":true}`,
		`{"idle_ms":-1}`, `{"idle_ms":1e99}`, `{"idle_ms":"1e5","page":7,"leaving":"true","seen":3}`, `{"page":"https://x:y@z/p"}`, `{"sessionToken":null,"page":null}`, "{", `{"idle_ms":012}`, `{"seen":["1","2"],"client":"b"}`, `{"seen":[],"Page":"/x"}`, strings.Repeat(" ", 5000)} {
		f.Add(body, "application/json")
		f.Add(body, "text/plain;charset=UTF-8")
	}
	f.Fuzz(func(t *testing.T, body, kind string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		beat, err := Read(r)
		if plain, ok := plainBeat([]byte(body)); ok {
			if want, err := anyBeat([]byte(body)); err != nil || !cmp.Equal(plain, want) {
				t.Errorf("%s is plain: %+v, and else %+v, %v", body, plain, want, err)
			}
		}
		if len(body) > MaxBody && err == nil {
			t.Errorf("%d bytes were read", len(body))
		}
		if err != nil {
			if p := web.Explain(err); p.Status < 400 || p.Status > 499 || strings.Contains(p.Words, "json:") || strings.Contains(p.Words, "Go ") {
				t.Errorf("got %d %q", p.Status, p.Words)
			}
			return
		}
		if beat.IdleMS < 0 || beat.IdleMS > maxIdle.Milliseconds() {
			t.Errorf("idle for %d ms", beat.IdleMS)
		}
		if body != "" && beat.SessionToken == "" && web.ContentType(r) != "application/json" {
			t.Errorf("%q without a token was taken from any page", kind)
		}
		if beat.Page != nil && strings.ContainsAny(strings.TrimPrefix(*beat.Page, "#"), "?#") {
			t.Errorf("the page is %q", *beat.Page)
		}
	})
}

func FuzzPage(f *testing.F) {
	for _, page := range []string{"", "/", "/a/b", "/a?b", "/a#b", "//h/p", "a+b-c.d1://h", "1a://h/p", "/%20%C3%A9%e2%82%acx%2Fy%", "https://u:p@h/p?q", "HTTP://h", "a:b", "x//y", "http://[::1/p", "/%3F", "/%D0%B0%D0", "#/a?b", "#!/a#b", "#//u:p@h/p", "\x00?", "::://"} {
		f.Add(page)
	}
	f.Fuzz(func(t *testing.T, page string) {
		path := pathOnly(&page)
		if want := pathByPatterns(page); path == nil || *path != want {
			t.Errorf("%q became %v, not %q", page, path, want)
		}
		if path == nil || strings.ContainsAny(strings.TrimPrefix(*path, "#"), "?#") {
			t.Errorf("%q became %v", page, path)
		}
		if u, err := url.Parse(page); err == nil && u.Host != "" && u.User != nil && u.User.String() != "" && strings.Contains(*path, u.User.String()+"@"+u.Host) {
			t.Errorf("%q became %q, which names who signed in there", page, *path)
		}
		if plain := "/" + strings.TrimLeft(*path, "#!/"); *pathOnly(&plain) != plain {
			t.Errorf("the path %q became %q", plain, *pathOnly(&plain))
		}
	})
}
