package authproxy

import (
	"mime"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/server/web"
	"rollcall/store"
)

// How long headers may be.
const (
	maxText   = 200 // characters of what is told of a person
	maxGroups = 200 // groups that somebody may be in
)

// Proxy is what an authenticating proxy says, and who may do what in the panel by its word.
type Proxy struct {
	Header  string                   // whose value is the user's id
	Claims  Claims                   // the headers that say more
	App     string                   // whose people they are
	SignOut string                   // where people sign out of the proxy; "": nobody knows
	Admins  Names                    // who administers
	Viewers Names                    // who may look
	Trusted func(*http.Request) bool // whether a request came from the proxy
}

// Person is somebody whom the proxy has let in.
type Person struct {
	App                                   string
	ID                                    string
	Name, Email, Role, Team, Organization *string // nil: it does not say
	SignIn                                string  // names the sign-in, where the proxy does
	Access                                store.Access
}

// Unreadable is of a proxy whose header names nobody: it comes twice, is too long or has characters that nobody sees.
var Unreadable = &web.Problem{Status: http.StatusForbidden, Code: "unreadable_auth_header", Words: "The proxy's header for the user (--auth-header) can not be read"}

// Read returns whom the proxy has let in, false for nobody: there is no header, or no trusted proxy sent it. A nil Proxy
// lets nobody in. Unreadable of a header that names nobody.
func (p *Proxy) Read(r *http.Request) (Person, bool, error) {
	if !p.Sent(r) || !p.Trusted(r) {
		return Person{}, false, nil
	}
	id, ok := text(r.Header.Values(p.Header))
	// Two people are not to look like one.
	if !ok || strings.HasPrefix(id, store.AccountID("")) || strings.ContainsFunc(id, store.Invisible) {
		return Person{}, false, Unreadable
	}
	if id == "" {
		return Person{}, false, nil
	}
	person := Person{App: p.App, ID: id}
	if person.SignIn, ok = text(p.Claims.values(r, "session")); !ok {
		return Person{}, false, Unreadable
	}
	for field, to := range map[string]**string{"name": &person.Name, "email": &person.Email, "role": &person.Role, "team": &person.Team, "organization": &person.Organization} {
		if said, ok := text(p.Claims.values(r, field)); ok && said != "" {
			*to = new(decoded(said))
		}
	}
	person.Access = p.access(id, groups(p.Claims.values(r, "groups")))
	return person, true, nil
}

// Sent tells whether a request has the header, whoever sent it.
func (p *Proxy) Sent(r *http.Request) bool { return p != nil && len(r.Header.Values(p.Header)) > 0 }

func (p *Proxy) access(id string, groups []string) store.Access {
	switch {
	case p.Admins.have(id, groups):
		return store.AccessAdmin
	case p.Viewers.have(id, groups):
		return store.AccessViewer
	}
	return store.AccessNone
}

// text is the only value of a header, "" without one. It is no good where that comes twice, is too long, or has what
// is not printed.
func text(values []string) (string, bool) {
	if len(values) == 0 {
		return "", true
	}
	value := strings.Trim(values[0], " \t")
	if len(values) == 1 && unset(value) {
		return "", true
	}
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	return value, len(values) == 1 && utf8.ValidString(value) && utf8.RuneCountInString(value) <= maxText && !strings.ContainsFunc(value, hidden)
}

// unset tells of what proxies write in place of what they do not know: Caddy the name of its variable, Apache a word.
func unset(value string) bool {
	return value == "(null)" || strings.HasPrefix(value, "{http.") && strings.HasSuffix(value, "}")
}

// decoded is a text that a proxy has encoded because it is not ASCII (RFC 2047), as Tailscale does with names. An id
// is not: another one than the proxy knows would come of it.
func decoded(said string) string {
	plain, err := new(mime.WordDecoder).DecodeHeader(said)
	if value, ok := text([]string{plain}); err == nil && ok {
		return value
	}
	return said
}

// groups are the parts of a list with commas. Of one that can not be read there are none.
func groups(values []string) (all []string) {
	if len(values) != 1 || !utf8.ValidString(values[0]) {
		return nil
	}
	for group := range strings.SplitSeq(values[0], ",") {
		if group, ok := text([]string{group}); ok && group != "" && len(all) < maxGroups {
			all = append(all, group)
		}
	}
	return all
}
