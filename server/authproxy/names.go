package authproxy

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Names are users by id, and groups as @group. The name * is everybody.
type Names []string

// Everybody is the name that is all users.
const Everybody = "*"

const groupMark = "@"

// HaveGroups tells whether a group is among the names.
func (n Names) HaveGroups() bool {
	return slices.ContainsFunc(n, func(name string) bool { return strings.HasPrefix(name, groupMark) })
}

// have tells whether a user in these groups is named. An id that looks like a group or like everybody is neither.
func (n Names) have(id string, groups []string) bool {
	user := !strings.HasPrefix(id, groupMark) && slices.Contains(n, id)
	return user || slices.Contains(n, Everybody) ||
		slices.ContainsFunc(groups, func(group string) bool { return slices.Contains(n, groupMark+group) })
}

// fields are what headers may say of somebody, besides who it is.
var fields = []string{"email", "groups", "name", "organization", "role", "session", "team"}

// Claims are headers by what they say.
type Claims map[string]string

// ParseClaims reads pairs such as "name=Remote-Name,groups=Remote-Groups".
func ParseClaims(text string) (Claims, error) {
	claims := Claims{}
	if text == "" {
		return claims, nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		field, name, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok {
			return nil, fmt.Errorf("%q is not FIELD=HEADER", pair)
		}
		if !slices.Contains(fields, field) {
			return nil, errors.New("the field must be among " + strings.Join(fields, ", "))
		}
		header, err := ParseHeader(name)
		if err != nil {
			return nil, err
		}
		claims[field] = header
	}
	return claims, nil
}

func (c Claims) values(r *http.Request, field string) []string {
	if c[field] == "" {
		return nil
	}
	return r.Header.Values(c[field])
}

// headerName is a name that all proxies hand on: not those with an underscore.
var headerName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,99}$`)

// ParseHeader reads the name of a header that says something of a person. Those that browsers send say nothing.
func ParseHeader(name string) (string, error) {
	if !headerName.MatchString(name) {
		return "", fmt.Errorf("%q is not the name of a header, such as Remote-User", name)
	}
	name = http.CanonicalHeaderKey(name)
	switch name {
	case "Authorization", "Cookie", "Host", "Origin", "Referer", "User-Agent", "X-Forwarded-For", "X-Rollcall":
		return "", fmt.Errorf("the header %s has another meaning", name)
	}
	return name, nil
}
