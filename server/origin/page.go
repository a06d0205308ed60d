package origin

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Pages are the pages whose scripts may ask.
type Pages struct {
	PublicURL *url.URL // of our own; nil: wherever people reach them
	BasePath  string   // below which our own are; "" or like /rollcall
	TLS       bool     // people reach our own by https
	Allowed   []string // origins of others, such as https://shop.example
}

// Port is the port of our own pages, "" where their scheme implies it.
func (p Pages) Port(r *http.Request) string {
	u := p.PublicURL
	if u == nil {
		u = &url.URL{Host: r.Host}
	}
	return u.Port()
}

// Own tells whether the request comes from a page of this server.
func (p Pages) Own(r *http.Request) bool { return p.OwnOrigin(r, r.Header.Get("Origin")) }

// OwnOrigin tells whether an origin is that of this server's pages, as the request reached it.
func (p Pages) OwnOrigin(r *http.Request, origin string) bool {
	scheme, host, _ := strings.Cut(origin, "://")
	if host == "" {
		return false
	}
	if u := p.PublicURL; u != nil && scheme == u.Scheme && strings.EqualFold(host, u.Host) {
		return true
	}
	// A proxy that adds TLS may be unknown, so https is as good where http is expected.
	return (scheme == "https" || scheme == "http" && !p.TLS) && strings.EqualFold(host, r.Host)
}

// Known tells whether the request comes from an allowed page, or from none:
// a browser always says from where.
func (p Pages) Known(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	return len(origins) == 0 || len(origins) == 1 && slices.Contains(p.Allowed, origins[0])
}

// originPattern is how a browser writes one.
var originPattern = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?$`)

const maxOrigin = 300 // bytes; no host name is longer

// OfPage returns the origin of the page that asks, "" for none or for what no
// browser says.
func OfPage(r *http.Request) string {
	origin := r.Header.Get("Origin")
	if len(origin) > maxOrigin || !originPattern.MatchString(origin) {
		return ""
	}
	return strings.Clone(origin) // not the rest of the request with it
}

// OfReferer returns the origin of the page that loads something, "" where it does not say, or what no browser says.
func OfReferer(r *http.Request) string {
	scheme, rest, _ := strings.Cut(r.Header.Get("Referer"), "://")
	host, _, _ := strings.Cut(rest, "/")
	page := scheme + "://" + host
	if len(page) > maxOrigin || !originPattern.MatchString(page) {
		return ""
	}
	return page
}
