package doctor

import (
	"net/http"
	"strings"

	"rollcall/server/origin"
)

// Watch notes what is wrong with the requests for next. Where nothing is, that takes no lock
// and no memory: every heartbeat comes by here.
func (d *Doctor) Watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if addr, _, disbelieved := d.cfg.Origin.ForwardedFor(r); disbelieved && origin.Inside(addr) {
			d.proxies.note(d.cfg.Clock.Now(), addr, 0)
		}
		if d.cfg.Proxy.Sent(r) {
			d.noteAuthHeader(r)
		}
		if asksForAPage(r.URL.Path) && !d.cfg.Pages.Known(r) && !d.cfg.Pages.Own(r) {
			if page := origin.OfPage(r); page != "" {
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

// NoteUnknownToken notes a heartbeat that was refused because its token was never that of a
// session here.
func (d *Doctor) NoteUnknownToken(r *http.Request) {
	d.unknownTokens.note(d.cfg.Clock.Now(), origin.OfPage(r), d.cfg.Recorded())
}
