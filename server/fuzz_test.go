package server

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"rollcall/server/web"
	"rollcall/store/storetest"
)

func FuzzHostName(f *testing.F) {
	for _, name := range []string{"", "localhost", "LOCALHOST:80", "localhost.", "[::1]:80", "::1", "127.0.0.1", "a.b", "[", "]", "[]:", ":", "[fe80::1%25e]", "İ"} {
		f.Add(name)
	}
	s := &Server{respond: web.Responder{Now: storetest.Start.Local, Refused: func(string) {}}}
	guard := s.knownHost(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	admits := func(host string) bool {
		w := httptest.NewRecorder()
		guard.ServeHTTP(w, &http.Request{Host: host, URL: &url.URL{Path: "/"}})
		return w.Code == http.StatusNoContent
	}
	f.Fuzz(func(t *testing.T, host string) {
		name := web.HostName(host)
		if name != strings.ToLower(name) {
			t.Errorf("%q became %q", host, name)
		}
		_, err := netip.ParseAddr(name)
		if admits(host) != (name == "localhost" || err == nil) {
			t.Errorf("%q was admitted: %v", host, admits(host))
		}
		if label := host; !strings.ContainsAny(label, "[]:") {
			if web.HostName(label+":80") != name {
				t.Errorf("with a port, %q becomes %q", host, web.HostName(label+":80"))
			}
			if admits(label+".evil.example") || admits(label+".evil.example:80") || admits("evil-"+label) {
				t.Errorf("a stranger's name with %q in it was admitted", label)
			}
		}
	})
}

func FuzzOnlineFilters(f *testing.F) {
	b, viewer := company(f)
	everybody := []string{"ada", "bob", "cyd", "dan", "rollcall:watch"}
	for _, query := range []string{"", "app=shop&team=core", "q=%25", "q=_%5C", "sort=name&limit=1", "limit=0", "status=away&role=dev", "a;b", "%zz", "q=%F0%9F%A4%A9", "cursor=e30", "organization=Engines&sort=duration&limit=2"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got := do(t, b, "GET", "/admin/users/online", nil, bearing(viewer), func(r *http.Request) { r.URL.RawQuery = query })
		if got.Code == http.StatusBadRequest {
			return
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Errorf("%q can not be read, and was answered", query)
		}
		for _, user := range got.wants(200)["users"].([]any) {
			user := user.(map[string]any)
			if !slices.Contains(everybody, user["id"].(string)) {
				t.Errorf("%q found %v", query, user["id"])
			}
			for filter, field := range map[string]string{"organization": "organization_name", "team": "team_name", "role": "role", "status": "status"} {
				if want := values.Get(filter); want != "" && user[field] != want {
					t.Errorf("%q found %v with %s %q", query, user["id"], field, user[field])
				}
			}
			if app := values.Get("app"); app != "" && !slices.Contains(user["apps"].([]any), any(app)) {
				t.Errorf("%q found %v in %v", query, user["id"], user["apps"])
			}
		}
	})
}

func FuzzCursor(f *testing.F) {
	b, viewer := company(f)
	for _, cursor := range []string{"", "{}", "null", `{"s":"name","k":"bob","t":"bob"}`, `{"s":"name","k":5,"t":1.5}`, `{"s":"","k":1772443805000,"t":9223372036854775807}`,
		`{"s":"","k":9223372036854775808,"t":1}`, `{"s":"duration","k":[1],"t":{}}`, `{"s":"duration","k":1,"t":"a\u0000b"}`, `{"s":"","k":"x","t":1}`, "\xff"} {
		for _, sort := range []string{"", "name", "duration"} {
			f.Add(sort, []byte(cursor))
		}
	}
	f.Fuzz(func(t *testing.T, sort string, cursor []byte) {
		query := url.Values{"sort": {sort}, "cursor": {base64.RawURLEncoding.EncodeToString(cursor)}}.Encode()
		got := do(t, b, "GET", "/admin/users/online", nil, bearing(viewer), func(r *http.Request) { r.URL.RawQuery = query })
		if got.Code != http.StatusOK && got.Code != http.StatusBadRequest {
			t.Errorf("sort %q and cursor %q: %d %s", sort, cursor, got.Code, got.Body)
		}
	})
}
