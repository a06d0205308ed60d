package doctor

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"rollcall/server/api"
	"rollcall/server/origin"
	"rollcall/server/web"
)

// proxyFinding tells of proxies that forward requests and are not trusted. One that the
// doctor's own request came through surely exists. Of earlier requests only addresses
// inside were noted, because anybody outside can send the header.
func (d *Doctor) proxyFinding(r *http.Request, now time.Time) api.Finding {
	for _, prefix := range d.cfg.Origin.TrustedProxies {
		if origin.TrustsAll(prefix) {
			return api.Problem("proxy", "Everybody is trusted as a proxy, by --trusted-proxies "+prefix.String(),
				"Whoever connects may say what address they have: limits on sign-ins and addresses in the log mean nothing. "+
					"Start the server with the address of your proxy:", "--trusted-proxies ADDRESS")
		}
	}
	proxies, _ := d.proxies.lately(now)
	if addr, _, disbelieved := d.cfg.Origin.ForwardedFor(r); disbelieved && !origin.Inside(addr) {
		proxies = append([]netip.Addr{addr}, proxies...)
	}
	if len(proxies) == 0 {
		return api.Fine("proxy", "No proxy that is not trusted has forwarded a request")
	}
	trusted := []string{}
	for _, prefix := range d.cfg.Origin.TrustedProxies {
		trusted = append(trusted, spelled(prefix))
	}
	for _, addr := range proxies {
		trusted = append(trusted, addr.String())
	}
	return api.Problem("proxy", proxies[0].String()+more(len(proxies))+" forwards requests, but is not trusted",
		"What it says in X-Forwarded-For is not believed, so everybody's address is its own, and all sign-ins share one limit. "+
			"If it is your proxy, start the server with this setting:",
		"--trusted-proxies "+strings.Join(trusted, ","))
}

// spelled writes a network of one as the address.
func spelled(prefix netip.Prefix) string {
	if prefix.IsSingleIP() {
		return prefix.Addr().String()
	}
	return prefix.String()
}

// more says how many there are beside the first.
func more(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprint(" (and ", n-1, " more)")
}

// schemeFinding tells whether the server knows that browsers use TLS.
func (d *Doctor) schemeFinding(r *http.Request) api.Finding {
	switch {
	case d.cfg.TLS:
		return api.Fine("https", "Cookies are for https only")
	case !strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"):
		return api.Fine("https", "This request came by http, as the server expects")
	}
	return api.Problem("https", "A proxy adds TLS, and the server does not know of it",
		"The panel's cookie is not kept to https. Start the server with the address that browsers use:",
		"--public-url https://"+d.nameOr(r, "rollcall.example"))
}

// nameOr is the host name by which the server was asked, if that is one of its own.
func (d *Doctor) nameOr(r *http.Request, otherwise string) string {
	name := web.HostName(r.Host)
	if _, err := netip.ParseAddr(name); err == nil || name == "localhost" {
		return otherwise
	}
	return name
}

// originsFinding tells of pages whose scripts are kept from asking.
func (d *Doctor) originsFinding(now time.Time) api.Finding {
	origins, seen := d.origins.lately(now)
	if len(origins) == 0 {
		return api.Fine("origins", "No page of another origin was refused")
	}
	// Any page in the world can ask, so none is to be pasted without a thought.
	return api.Problem("origins", "A page of "+strconv.Quote(origins[0])+more(len(origins))+" asks, but is not allowed",
		fmt.Sprintf("Its scripts can not read the answers; last at %s. If it is a page of yours, start the server with this setting, beside those that it has, "+
			"with the origin of your page in it:", when(seen[0].last)), "--allow-origin https://YOUR-APPLICATION")
}

// enoughUnknown is how many heartbeats without a session are no accident: a single browser
// may come back with a token of months ago.
const enoughUnknown = 3

// tokensFinding tells of heartbeats with tokens that no login has named.
func (d *Doctor) tokensFinding(now time.Time) api.Finding {
	origins, seen := d.unknownTokens.lately(now)
	unknown, well, latest, from := 0, uint64(0), time.Time{}, ""
	for i, entry := range seen {
		unknown += entry.count
		well = max(well, d.cfg.Recorded()-entry.wellBefore) // since the first of them
		if entry.last.After(latest) {
			latest, from = entry.last, origins[i]
		}
	}
	if unknown < enoughUnknown || uint64(unknown)*20 < well {
		words := "Heartbeats come with tokens of sessions"
		if unknown > 0 { // the gate may count them
			words += fmt.Sprintf("; %d did not, which is too few to say that something is wrong", unknown)
		}
		return api.Fine("tokens", words)
	}
	if from == "" {
		from = "a page that does not say where it is"
	} else {
		from = strconv.Quote(from)
	}
	state := api.Warning
	if uint64(unknown)*2 >= well { // the panel's own heartbeats are always in order
		state = api.Problem
	}
	return state("tokens", fmt.Sprint(unknown, " heartbeats came with a token of no session"),
		fmt.Sprintf("The last, at %s, was from %s. Its back end has to report each login by POST /admin/sessions, and the page to use the token "+
			"that this named or brought: README, Start, step 1, or Integrate in the panel.", when(latest), from))
}
