package authproxy

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollcall/store"
)

// trusting is a proxy from which every request comes.
func trusting(claims string, admins, viewers Names) *Proxy {
	parsed, err := ParseClaims(claims)
	if err != nil {
		panic(err)
	}
	return &Proxy{Header: "Remote-User", App: "wiki", Claims: parsed, Admins: admins, Viewers: viewers, Trusted: func(*http.Request) bool { return true }}
}

// request has these headers, by pairs of name and value.
func request(pairs ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Add(pairs[i], pairs[i+1])
	}
	return r
}

func TestThePersonIsWhomTheHeadersName(t *testing.T) {
	p := trusting("name=Remote-Name,email=Remote-Email,team=Remote-Team,session=Remote-Session", nil, nil)
	got, ok, err := p.Read(request("Remote-User", " ada ", "Remote-Name", "=?utf-8?q?Ad=C3=A1?=", "Remote-Email", "a\x01b", "Remote-Team", "core", "remote-session", "one", "Remote-Groups", "ops"))
	if err != nil || !ok || got.ID != "ada" || *got.Name != "Adá" || *got.Team != "core" || got.SignIn != "one" || got.App != "wiki" {
		t.Errorf("%+v, %v, %v", got, ok, err)
	}
	if got.Email != nil || got.Role != nil || got.Organization != nil || got.Access != store.AccessNone {
		t.Errorf("what nobody can read, or nobody said, is told: %+v", got)
	}
	if got, ok, _ := p.Read(request("Remote-User", "=?utf-8?q?root?=")); !ok || got.ID != "=?utf-8?q?root?=" {
		t.Errorf("the id is read as another: %+v", got)
	}
	if got, ok, _ := p.Read(request("Remote-User", "Jose\u0301 李", "Remote-Name", "José \u2764\ufe0f")); !ok || got.ID != "Jose\u0301 李" || *got.Name != "José \u2764\ufe0f" {
		t.Errorf("what everybody sees is not told: %+v", got)
	}
}

func TestAHeaderThatNamesNobodyIsRefused(t *testing.T) {
	p := trusting("session=Remote-Session", Names{"ada"}, Names{Everybody})
	for name, r := range map[string]*http.Request{
		"twice":                      request("Remote-User", "ada", "Remote-User", "bob"),
		"twice the same":             request("Remote-User", "ada", "remote-user", "ada"),
		"too long":                   request("Remote-User", strings.Repeat("x", 201)),
		"a control character":        request("Remote-User", "ada\x7f"),
		"a line end":                 request("Remote-User", "ada\r\nx"),
		"an invisible character":     request("Remote-User", "a\u200bda"),
		"a mark of direction":        request("Remote-User", "ada\u202e"),
		"a space that is none":       request("Remote-User", "ada\u00a0"),
		"a letter that is blank":     request("Remote-User", "ada\u3164"),
		"another":                    request("Remote-User", "ada\u115f"),
		"one more":                   request("Remote-User", "ada\uffa0"),
		"a blank pattern":            request("Remote-User", "ada\u2800"),
		"a variation selector":       request("Remote-User", "ada\ufe0f"),
		"a supplementary one":        request("Remote-User", "ada\U000e0100"),
		"a grapheme joiner":          request("Remote-User", "a\u034fda"),
		"a vowel that is not seen":   request("Remote-User", "ada\u17b4"),
		"a tag":                      request("Remote-User", "ada\U000e0061"),
		"bad UTF-8":                  request("Remote-User", "ad\xe4"),
		"an account":                 request("Remote-User", "rollcall:root"),
		"two sign-ins":               request("Remote-User", "ada", "Remote-Session", "1", "Remote-Session", "2"),
		"a sign-in that is too long": request("Remote-User", "ada", "Remote-Session", strings.Repeat("x", 201)),
	} {
		if got, ok, err := p.Read(r); ok || !errors.Is(err, Unreadable) {
			t.Errorf("%s: %+v, %v, %v", name, got, ok, err)
		}
	}
	for name, r := range map[string]*http.Request{"none": request(), "an empty one": request("Remote-User", ""), "only spaces": request("Remote-User", "  "),
		"what Caddy does not know": request("Remote-User", "{http.auth.user.id}"), "what Apache does not know": request("Remote-User", "(null)")} {
		if got, ok, err := p.Read(r); ok || err != nil {
			t.Errorf("%s: %+v, %v, %v", name, got, ok, err)
		}
	}
}

func TestOnlyATrustedProxyIsBelieved(t *testing.T) {
	p := trusting("", Names{"ada"}, nil)
	p.Trusted = func(*http.Request) bool { return false }
	for _, r := range []*http.Request{request("Remote-User", "ada"), request("Remote-User", "ada", "Remote-User", "bob")} {
		if got, ok, err := p.Read(r); ok || err != nil {
			t.Errorf("%+v, %v, %v", got, ok, err)
		}
	}
	if got, ok, err := (*Proxy)(nil).Read(request("Remote-User", "ada")); ok || err != nil {
		t.Errorf("without a proxy: %+v, %v, %v", got, ok, err)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	p := trusting("groups=Remote-Groups", Names{"ada", "@ops"}, Names{"bob", "@dev team"})
	for _, c := range []struct {
		user, groups string
		want         store.Access
	}{
		{"ada", "", store.AccessAdmin},
		{"Ada", "", store.AccessNone},
		{"bob", "", store.AccessViewer},
		{"eve", "", store.AccessNone},
		{"eve", "x, ops ,y", store.AccessAdmin},
		{"eve", "dev team", store.AccessViewer},
		{"eve", "dev,team,OPS,opsx", store.AccessNone},
		{"bob", "ops", store.AccessAdmin},
		{"@ops", "", store.AccessNone},
		{"*", "*", store.AccessNone},
		{"eve", "ops\xff", store.AccessNone},
		{"eve", "@ops", store.AccessNone},
	} {
		got, ok, err := p.Read(request("Remote-User", c.user, "Remote-Groups", c.groups))
		if err != nil || !ok || got.Access != c.want {
			t.Errorf("%s in %q: %v, %v, %v, want %v", c.user, c.groups, got.Access, ok, err, c.want)
		}
	}
	if got, _, _ := p.Read(request("Remote-User", "eve", "Remote-Groups", "x", "Remote-Groups", "ops")); got.Access != store.AccessNone {
		t.Errorf("groups that come twice: %v", got.Access)
	}
	if got, _, _ := trusting("", nil, Names{Everybody}).Read(request("Remote-User", "eve")); got.Access != store.AccessViewer {
		t.Errorf("of everybody: %v", got.Access)
	}
	if got, _, _ := trusting("", Names{"@ops"}, nil).Read(request("Remote-User", "eve", "Remote-Groups", "ops")); got.Access != store.AccessNone {
		t.Errorf("a header that nobody named has groups: %v", got.Access)
	}
}

func TestHeadersThatSayNothingOfPeopleAreRefused(t *testing.T) {
	for _, name := range []string{"", "Remote_User", "Remote User", "Remote-User:", "cookie", "AUTHORIZATION", "X-Forwarded-For", strings.Repeat("x", 101)} {
		if got, err := ParseHeader(name); err == nil {
			t.Errorf("%q is taken as %s", name, got)
		}
	}
	for _, pairs := range []string{"name", "id=Remote-User", "name=", "name=Remote_Name", "name=Remote-Name,", "access=Remote-Access"} {
		if got, err := ParseClaims(pairs); err == nil {
			t.Errorf("%q is taken as %v", pairs, got)
		}
	}
	if got, err := ParseClaims("name=x-forwarded-preferred-username, email=X-Forwarded-Email"); err != nil || got["name"] != "X-Forwarded-Preferred-Username" || got["email"] != "X-Forwarded-Email" {
		t.Errorf("%v, %v", got, err)
	}
}
