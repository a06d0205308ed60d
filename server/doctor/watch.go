package doctor

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"rollcall/server/origin"
	"rollcall/store"
)

// Watch notes what is wrong with the requests for next. Where nothing is, that takes no lock
// and no memory: every heartbeat comes by here.
func (d *Doctor) Watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if addr, _, disbelieved := d.cfg.Origin.ForwardedFor(r); disbelieved && origin.Inside(addr) {
			d.proxies.note(d.cfg.Clock.Now(), addr, 0)
		}
		if asksForAPage(r.URL.Path) && !d.cfg.Pages.Known(r) && !d.cfg.Pages.Own(r) {
			if page := plainOrigin(r); page != "" {
				d.origins.note(d.cfg.Clock.Now(), page, 0)
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

// NoteUnknownToken notes a heartbeat that was refused with err, if its token was never that
// of a session here. One whose session has ended is nothing unusual.
func (d *Doctor) NoteUnknownToken(r *http.Request, err error) {
	var ended *store.EndedError
	if !errors.Is(err, store.ErrSessionEnded) || errors.As(err, &ended) {
		return
	}
	d.unknownTokens.note(d.cfg.Clock.Now(), plainOrigin(r), d.cfg.Recorded())
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
