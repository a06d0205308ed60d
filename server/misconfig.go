package server

import (
	"errors"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"rollcall/server/origin"
	"rollcall/store"
)

// misconfig remembers for an hour what goes wrong without anybody here noticing: the
// page, the proxy or the back end that could tell stands elsewhere. In memory only.
type misconfig struct {
	proxies       topK[netip.Addr] // that say for whom they ask, and are not trusted
	origins       topK[string]     // of pages that ask as ours for other pages do, and are not allowed
	unknownTokens topK[string]     // origins of heartbeats whose token nobody has named; "" for none
}

// watchMisconfig notes what is wrong with a request. Where nothing is, that takes no lock
// and no memory: every heartbeat comes by here.
func (s *Server) watchMisconfig(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if addr, _, disbelieved := s.cfg.Origin.ForwardedFor(r); disbelieved && origin.Inside(addr) {
			s.misconfig.proxies.note(s.now(), addr, 0)
		}
		if asksForAPage(r.URL.Path) && !s.pages.Known(r) && !s.pages.Own(r) {
			if page := plainOrigin(r); page != "" {
				s.misconfig.origins.note(s.now(), page, 0)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// asksForAPage tells the addresses that the scripts for host pages ask. What is
// refused elsewhere is rather a stranger's attempt.
func asksForAPage(path string) bool {
	return path == "/live" || strings.HasPrefix(path, "/admin/users/")
}

// noteUnknownToken notes a heartbeat that was refused with err, if its token was never that
// of a session here. One whose session has ended is nothing unusual.
func (s *Server) noteUnknownToken(r *http.Request, err error) {
	var ended *store.EndedError
	if !errors.Is(err, store.ErrSessionEnded) || errors.As(err, &ended) {
		return
	}
	s.misconfig.unknownTokens.note(s.now(), plainOrigin(r), s.meters.Heartbeats())
}

// originPattern is how a browser writes one. It is shown to be pasted into a shell.
var originPattern = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?$`)

const maxOrigin = 300 // bytes; no host name is longer

// plainOrigin returns the origin of the page that asks, "" for none or for what no
// browser says.
func plainOrigin(r *http.Request) string {
	origin := r.Header.Get("Origin")
	if len(origin) > maxOrigin || !originPattern.MatchString(origin) {
		return ""
	}
	return strings.Clone(origin) // not the rest of the request with it
}
