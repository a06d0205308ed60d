package auth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"rollcall/server/authproxy"
	"rollcall/server/web"
	"rollcall/store"
)

// proxiedFor is how long a connection stays open by the word of the proxy, which is asked again by the next one.
const proxiedFor = 10 * time.Minute

// errAskProxyAgain has whoever follows connect anew.
var errAskProxyAgain = &web.Problem{Status: http.StatusServiceUnavailable, Code: "sign_in_again", Words: "Connect again, through the proxy"}

// FromProxy returns whom the proxy in front has let in, false for nobody. A browser shows itself to a proxy from any
// page, as it does by our cookie, so that the same holds: what changes something must come from a page of ours, and
// what another site loads into its pages counts for nothing.
func (a *Authenticator) FromProxy(r *http.Request) (authproxy.Person, bool, error) {
	person, ok, err := a.proxy.Read(r)
	if !ok || err != nil {
		return authproxy.Person{}, false, err
	}
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return authproxy.Person{}, false, CrossOrigin
	}
	return person, true, a.OwnOrigin(r)
}

// proxied returns the caller whom the proxy in front has let in, false for nobody, who can sign in to an account.
func (a *Authenticator) proxied(r *http.Request) (Caller, bool, error) {
	person, ok, err := a.FromProxy(r)
	if errors.Is(err, authproxy.Unreadable) {
		return Caller{}, false, nil
	}
	if !ok || err != nil {
		return Caller{}, false, err
	}
	directory, err := a.store.DirectoryOf(r.Context(), person.App)
	if err != nil {
		return Caller{}, false, err
	}
	said := func(text *string) string {
		if text == nil {
			return ""
		}
		return *text
	}
	user := store.User{Directory: directory, ID: person.ID, Name: said(person.Name), Email: said(person.Email), Role: said(person.Role), Team: said(person.Team),
		Organization: said(person.Organization), Access: person.Access}
	return Caller{Person: &store.Identity{User: user, Access: person.Access, Member: store.Member{App: person.App, Role: user.Role},
		Session: store.Session{App: person.App, ExpiresAt: a.now().Add(proxiedFor)}}}, true, nil
}

// ProxiedToken is the token of the session in which somebody is whom the proxy has let in. Nobody has it but this
// server. browser is a name that the browser keeps, by which sessions of one sign-in are told apart.
func (a *Authenticator) ProxiedToken(person authproxy.Person, browser string) string {
	return a.store.DerivedToken("proxy", person.App, person.ID, person.SignIn, browser)
}

// isOfPage tells of a request that it is for whoever uses a page of an application, whoever is signed in to a panel
// of the same origin.
func isOfPage(r *http.Request) bool { return r.Header.Get("X-Rollcall") == "page" }

// followProxied is Follow for somebody whom the proxy has let in, until it is to be asked again.
func (a *Authenticator) followProxied(c Caller) Follow {
	return func(context.Context, string) (Caller, error) {
		if !a.now().Before(c.Person.Session.ExpiresAt) {
			return Caller{}, errAskProxyAgain
		}
		return c, nil
	}
}
