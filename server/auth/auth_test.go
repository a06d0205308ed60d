package auth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollcall/store/storetest"
)

func FuzzBearer(f *testing.F) {
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer x", "bearer  x ", "Basic eDp5", "Bearerx", "Bearer\tx", "Bearer x y", "Bearer Bearer x"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token := Bearer(&http.Request{Header: http.Header{"Authorization": {header}}})
		if token != strings.TrimSpace(token) {
			t.Errorf("%q gave %q", header, token)
		}
		if token != "" && (len(header) < 7 || !strings.EqualFold(header[:7], "Bearer ") || !strings.HasSuffix(strings.TrimSpace(header), token)) {
			t.Errorf("%q gave %q", header, token)
		}
	})
}

func FuzzCookie(f *testing.F) {
	for _, header := range []string{"", "rollcall=x", "rollcall=", `rollcall="x"`, "a=b; rollcall=x; rollcall=y", "rollcall=x;rollcall-device=AAAA", "rollcall", "rollcall==", "; ;=;rollcall=\x00"} {
		f.Add(header, "", "")
		f.Add(header, "cross-site", "https://evil.example")
		f.Add(header, "same-origin", "null")
	}
	a := &Authenticator{store: storetest.New(f), crossSite: http.NewCrossOriginProtection()}
	f.Fuzz(func(t *testing.T, header, site, origin string) {
		r := httptest.NewRequest("POST", "http://localhost/", nil)
		r.Header["Cookie"] = []string{header}
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		token, err := a.CookieToken(r)
		if token != "" && !strings.Contains(header, "rollcall="+token) && !strings.Contains(header, `rollcall="`+token) && !strings.Contains(header, "rollcall") {
			t.Errorf("%q gave %q", header, token)
		}
		ours := site == "same-origin" || site == "none" || site == "" && (origin == "" || strings.HasSuffix(strings.ToLower(origin), "://localhost"))
		if token != "" && err == nil && !ours {
			t.Errorf("the cookie counts from Sec-Fetch-Site %q and Origin %q", site, origin)
		}
		if a.KnownDevice(r, "root") {
			t.Errorf("%q passes as a known device", header)
		}
	})
}
