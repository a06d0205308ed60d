package auth

import (
	"net/http"
	"strconv"

	"rollcall/server/web"
	"rollcall/store"
)

// Audience is who may call a route.
type Audience string

// The audiences.
const (
	Anyone   Audience = "anyone"
	People   Audience = "any live session"
	Viewers  Audience = "access viewer or admin, or key scope read"
	Admins   Audience = "access admin, or key scope admin"
	Backends Audience = "key scope sessions or admin"

	// Backends need to know of a drain that they are to keep people out for.
	ViewersAndBackends Audience = "access viewer or admin, or key scope read, sessions or admin"

	Claimants Audience = "the person, or key scope sessions or admin"
)

// Caller is who sends a request: a person with a session, a key, or nobody.
type Caller struct {
	Person *store.Identity
	Key    *store.Key
}

// Proxied tells whether only the proxy in front says who the caller is: they have no session of their own here.
func (c Caller) Proxied() bool { return c.Person != nil && c.Person.Session.ID == 0 }

// access is what the caller may do in Rollcall itself.
func (c Caller) access() store.Access {
	switch {
	case c.Key != nil:
		return c.Key.Scopes.Access()
	case c.Person != nil:
		return c.Person.Access
	}
	return store.AccessNone
}

// May tells whether the caller belongs to an audience.
func (c Caller) May(who Audience) bool {
	switch who {
	case Anyone:
		return true
	case People:
		return c.Person != nil
	case Viewers:
		return c.access() >= store.AccessViewer
	case Admins:
		return c.access() >= store.AccessAdmin
	case Claimants: // whose status it is, the handler checks
		return c.May(People) || c.May(Backends)
	case ViewersAndBackends:
		return c.May(Viewers) || c.May(Backends)
	case Backends:
		return c.Key != nil && c.Key.Scopes.Has(store.ScopeSessions)
	}
	return false
}

// By is the key that calls, as the store wants to know it.
func (c Caller) By() store.By {
	return store.By{App: c.Key.App, Directory: c.Key.Directory, KeyID: c.Key.ID, Grant: c.access(), Actor: c.Actor()}
}

// Actor is the caller for the audit log.
func (c Caller) Actor() string {
	if c.Key != nil {
		return "key:" + strconv.FormatInt(c.Key.ID, 10) + ":" + c.Key.App
	}
	return store.UserActor(c.Person.User.Key())
}

// credential is by what the caller is known, without its secret.
func (c Caller) credential() string {
	if c.Key != nil {
		return "key:" + strconv.FormatInt(c.Key.ID, 10)
	}
	if c.Proxied() {
		return "proxied:" + c.Person.User.Key()
	}
	return "session:" + strconv.FormatInt(c.Person.Session.ID, 10)
}

type callerKey struct{}

// CallerOf returns who sends r, once r is admitted.
func CallerOf(r *http.Request) Caller {
	c, _ := r.Context().Value(callerKey{}).(Caller)
	return c
}

// Why somebody is refused.
var (
	Unauthenticated = &web.Problem{Status: http.StatusUnauthorized, Code: "unauthenticated", Words: "A valid credential is needed"}
	Forbidden       = &web.Problem{Status: http.StatusForbidden, Code: "forbidden", Words: "This credential may not do that"}
	CrossOrigin     = &web.Problem{Status: http.StatusForbidden, Code: "cross_origin", Words: "A page of another origin may not do that"}
)
