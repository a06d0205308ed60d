package cli

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// origins are the pages of other addresses that may speak with the server, each exactly as a
// browser writes it in the Origin header.
type origins struct{ list []string }

func (o *origins) String() string { return strings.Join(o.list, ",") }
func (o *origins) Type() string   { return "origin" }

func (o *origins) Set(text string) error {
	return eachPart(text, func(part string) error {
		origin, err := exactOrigin(part)
		if err != nil {
			return err
		}
		o.list = append(o.list, origin)
		return nil
	})
}

// exactOrigin returns text as a browser would send it, or why no browser would.
func exactOrigin(text string) (string, error) {
	switch {
	case strings.Contains(text, "*"):
		return "", fmt.Errorf("%s: wildcards are not allowed; name each origin", text)
	case strings.EqualFold(text, "null"):
		return "", errors.New("null is what any sandboxed page sends; it cannot be allowed")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "" || u.Hostname() == "" || u.Opaque != "":
		return "", fmt.Errorf("%s is not an origin; it must be like https://app.example", text)
	case u.User != nil:
		return "", errors.New("an origin has no user or password")
	case u.Path == "/" && u.RawQuery == "" && u.Fragment == "":
		return "", fmt.Errorf("%s: an origin has no trailing slash", text)
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return "", fmt.Errorf("%s: an origin has no path; give %s://%s", text, u.Scheme, u.Host)
	}
	host, err := hostAsSent(u)
	return u.Scheme + "://" + host, err
}
