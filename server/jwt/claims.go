package jwt

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxText is how many characters a field of a user may have.
const maxText = 200

// User is the person whom a token names. What it does not say is nil.
type User struct {
	ID                                    string
	Name, Email, Role, Team, Organization *string
}

// Claims are the paths of claims by the field of the user that they are for, such as
// "organization": "tenant.name".
type Claims map[string]string

// usual are the claims that are read without being told, the first that there is: those of OpenID
// Connect, and what Auth0, Keycloak, Supabase, Firebase and Clerk add by default.
var usual = map[string][]string{
	"name":         {"name", "user_metadata.full_name", "user_metadata.name", "preferred_username", "nickname"},
	"email":        {"email"},
	"role":         {"role"},
	"team":         {"team"},
	"organization": {"organization", "org_name", "org_slug"},
}

// ParseClaims reads pairs such as "organization=tenant.name,role=roles.0".
func ParseClaims(text string) (Claims, error) {
	claims := Claims{}
	if text == "" {
		return claims, nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		field, path, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || path == "" {
			return nil, fmt.Errorf("%q is not FIELD=CLAIM", pair)
		}
		if usual[field] == nil {
			return nil, errors.New("the field must be among " + strings.Join(slices.Sorted(maps.Keys(usual)), ", "))
		}
		claims[field] = path
	}
	return claims, nil
}

func (c Claims) user(id string, all map[string]any) User {
	text := func(field string) *string {
		paths := usual[field]
		if path, ok := c[field]; ok {
			paths = []string{path}
		}
		found := first(all, paths...)
		if found == "" {
			return nil
		}
		found = string([]rune(found)[:min(len([]rune(found)), maxText)])
		return &found
	}
	return User{ID: id, Name: text("name"), Email: text("email"), Role: text("role"), Team: text("team"), Organization: text("organization")}
}

// first returns the text of the first claim that there is, "" for none.
func first(all map[string]any, paths ...string) string {
	for _, path := range paths {
		if text := textOf(at(all, path)); text != "" {
			return text
		}
	}
	return ""
}

// at goes down a path such as realm.roles.0. A claim whose own name has dots is found by it.
func at(value any, path string) any {
	if fields, ok := value.(map[string]any); ok {
		if found, ok := fields[path]; ok {
			return found
		}
	}
	name, rest, more := strings.Cut(path, ".")
	var found any
	switch inside := value.(type) {
	case map[string]any:
		found = inside[name]
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(inside) {
			found = inside[i]
		}
	}
	if !more {
		return found
	}
	return at(found, rest)
}

// textOf is a text, a number or the first of a list.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		if len(v) > 0 {
			return textOf(v[0])
		}
	}
	return ""
}
