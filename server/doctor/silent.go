package doctor

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"rollcall/server/api"
	"rollcall/server/origin"
)

// silentPages are origins whose pages load the script, and those of them that were heard. A page without a token
// sends nothing, so that it is known by what it loads, and by no more than its origin.
type silentPages struct {
	loads   topK[string]
	heard   topK[string]
	waiting atomic.Bool // for one that was not heard
}

// Loaded notes of which origin the page is that loads the script for host pages.
func (d *Doctor) Loaded(script http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.noteSilent(r, origin.OfReferer(r))
		script.ServeHTTP(w, r)
	})
}

// NoteNoToken notes a heartbeat that brought no token.
func (d *Doctor) NoteNoToken(r *http.Request) { d.noteSilent(r, origin.OfPage(r)) }

func (d *Doctor) noteSilent(r *http.Request, page string) {
	if page == "" || d.cfg.Pages.OwnOrigin(r, page) {
		return
	}
	now := d.cfg.Clock.Now()
	d.silent.loads.note(now, page, 0)
	if !d.silent.heard.has(now, page) {
		d.silent.waiting.Store(true)
	}
}

// Heard notes a heartbeat with a token. Where every page was heard that takes no lock.
func (d *Doctor) Heard(r *http.Request) {
	if !d.silent.waiting.Load() {
		return
	}
	now, page := d.cfg.Clock.Now(), r.Header.Get("Origin")
	if d.silent.loads.has(now, page) && !d.silent.heard.has(now, page) {
		d.silent.heard.note(now, strings.Clone(page), 0)
		origins, _ := d.silentOrigins(now)
		d.silent.waiting.Store(len(origins) > 0)
	}
}

// silentOrigins are those whose pages were loaded and not heard, the most frequent first.
func (d *Doctor) silentOrigins(now time.Time) (origins []string, loads []occurrence) {
	all, seen := d.silent.loads.lately(now)
	for i, page := range all {
		if !d.silent.heard.has(now, page) {
			origins, loads = append(origins, page), append(loads, seen[i])
		}
	}
	return origins, loads
}

// enoughLoads is how often a page is loaded that is no accident.
const enoughLoads = 3

// pagesFinding tells of pages that have the script and no token. The gate does not count them: nearly all
// are public, and nobody is logged in there.
func (d *Doctor) pagesFinding(now time.Time) api.Finding {
	origins, loads := d.silentOrigins(now)
	if len(origins) == 0 || loads[0].count < enoughLoads {
		return api.Fine("pages", "Pages that load the script send heartbeats")
	}
	// Any page in the world can load it.
	return api.Warning("pages", "Pages of "+strconv.Quote(origins[0])+more(len(origins))+" load the script, and are never heard",
		fmt.Sprintf("None has sent a heartbeat with a token within the hour; last loaded at %s. That is right where nobody is logged in. Else the token is not where "+
			"data-token-from, data-token or data-renew says, or the page's policy does not let it send: the browser's console says what, with data-debug each step.", when(loads[0].last)))
}
