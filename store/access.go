package store

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"rollcall/store/sqldb"
)

// Access is what somebody may do in Rollcall itself. A higher one includes the
// lower ones.
type Access int

// The levels of access.
const (
	AccessNone   Access = iota // send heartbeats
	AccessViewer               // see who is online
	AccessAdmin                // see, end sessions, change settings
)

var accessNames = []string{"none", "viewer", "admin"}

// ParseAccess reads the name of a level; ErrInvalid for any other.
func ParseAccess(name string) (Access, error) {
	if i := slices.Index(accessNames, name); i >= 0 {
		return Access(i), nil
	}
	return AccessNone, sqldb.Invalid("access must be none, viewer or admin")
}

func (a Access) String() string { return accessNames[a] }

// MarshalText writes the name.
func (a Access) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the name.
func (a *Access) UnmarshalText(name []byte) (err error) {
	*a, err = ParseAccess(string(name))
	return err
}

// Value stores the name.
func (a Access) Value() (driver.Value, error) { return a.String(), nil }

// Scan reads the name from the database, which takes no other: ErrDamaged.
func (a *Access) Scan(v any) error {
	name, _ := v.(string)
	if a.UnmarshalText([]byte(name)) != nil {
		return fmt.Errorf("%w: an access is %q", sqldb.ErrDamaged, name)
	}
	return nil
}

// Scope is one thing that a key may do.
type Scope string

// The scopes of a key.
const (
	ScopeSessions Scope = "sessions" // report logins and logouts, keep users current
	ScopeRead     Scope = "read"     // see who is online
	ScopeAdmin    Scope = "admin"    // all of it, and end sessions
)

// Scopes are what a key may do.
type Scopes []Scope

// ParseScopes reads names; ErrInvalid for an unknown one and for none at all.
// Repeated names count once.
func ParseScopes(names []string) (Scopes, error) {
	var scopes Scopes
	for _, scope := range []Scope{ScopeSessions, ScopeRead, ScopeAdmin} {
		if slices.Contains(names, string(scope)) {
			scopes = append(scopes, scope)
		}
	}
	for _, name := range names {
		if !slices.Contains(scopes, Scope(name)) {
			return nil, sqldb.Invalid("scopes must be among sessions, read and admin")
		}
	}
	if len(scopes) == 0 {
		return nil, sqldb.Invalid("scopes must name at least one of sessions, read and admin")
	}
	return scopes, nil
}

// Has tells whether the scopes include want; admin includes every other.
func (s Scopes) Has(want Scope) bool {
	return slices.Contains(s, want) || slices.Contains(s, ScopeAdmin)
}

// Access is the most that a key of these scopes may do, and so may grant.
func (s Scopes) Access() Access {
	switch {
	case s.Has(ScopeAdmin):
		return AccessAdmin
	case s.Has(ScopeRead):
		return AccessViewer
	}
	return AccessNone
}

func (s Scopes) String() string {
	names := make([]string, len(s))
	for i, scope := range s {
		names[i] = string(scope)
	}
	return strings.Join(names, ",")
}
