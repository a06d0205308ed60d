package doctor

import (
	"cmp"
	"net/http"
	"net/netip"
	"time"

	"rollcall/server/api"
)

// noteAuthHeader notes who says who is logged in. The log is told of who is not trusted, once a minute, whoever it is.
func (d *Doctor) noteAuthHeader(r *http.Request) {
	if d.cfg.Proxy.Trusted(r) {
		if !d.vouched.Load() { // which is read by every heartbeat, and written once
			d.vouched.Store(true)
		}
		return
	}
	var from netip.Addr
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		from = peer.Addr().Unmap().WithZone("")
	}
	now := d.cfg.Clock.Now()
	d.pretenders.note(now, from, 0)
	if d.warnings.AllowN(now, 1) {
		d.cfg.Log.Warn().Str("peer", d.cfg.Origin.Addresses.Keep(from.String())).Str("header", d.cfg.Proxy.Header).
			Msg("somebody who is no trusted proxy says who is logged in, which is not believed")
	}
}

// authHeaderFinding tells whether the proxy says who is logged in, and who else tries to.
func (d *Doctor) authHeaderFinding(now time.Time) api.Finding {
	header := d.cfg.Proxy.Header
	switch from, _ := d.pretenders.lately(now); {
	case len(from) > 0:
		return api.Warning("auth-header", cmp.Or(d.cfg.Origin.Addresses.Keep(from[0].String()), "Somebody")+more(len(from))+" sends "+header+", and is no trusted proxy",
			"It is not believed. If that is your proxy, name its address in --trusted-proxies. If not, somebody reaches the server past the proxy "+
				"and tries to be somebody else: have it listen where only the proxy can connect.")
	case !d.vouched.Load():
		return api.Warning("auth-header", "No trusted proxy has sent "+header+" since the start",
			"Until one does, nobody is known by it. Have the proxy set it in all requests that it hands on, and open a page: README, Behind an authenticating proxy.")
	}
	return api.Fine("auth-header", "The proxy says by "+header+" who is logged in")
}
