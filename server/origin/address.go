// Package origin tells where a request comes from: the address of its client behind
// proxies, the place of that address, the device of its user agent, the page that sends
// it. It reads headers and configuration only: it does not know who is calling.
package origin

import (
	"iter"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"rollcall/store"
)

// Resolver finds out where requests come from, as the operator has set it up.
type Resolver struct {
	TrustedProxies []netip.Prefix // whose X-Forwarded-For counts
	Addresses      AddressRule    // how much of people's addresses is kept
	Places         *Places        // where addresses are; nil: nobody knows
}

// TrustsAll tells whether everybody is in a network of trusted proxies, so that whoever connects may say what
// address they have.
func TrustsAll(proxies netip.Prefix) bool { return proxies.Bits() == 0 }

// Of is where a login comes from, as much of it as may be kept. The place is
// that of the whole address.
func (o Resolver) Of(address, userAgent string) store.Origin {
	addr, _ := readAddress(first(address))
	return store.Origin{IPAddress: o.Addresses.Keep(address), UserAgent: userAgent,
		Device: deviceOf(userAgent), Location: o.Places.of(addr)}
}

// OfRequest is where a login comes from that is the request itself.
func (o Resolver) OfRequest(r *http.Request) store.Origin {
	return o.Of(o.clientIP(r), r.UserAgent())
}

// clientIP returns the address of the browser or back end, "" when unknown. A
// proxy's word for it counts only if the proxy is trusted: anybody can send an
// X-Forwarded-For. From the right, each trusted proxy names who called it.
func (o Resolver) clientIP(r *http.Request) string {
	addr, ok := o.clientAddr(r)
	if !ok {
		return ""
	}
	return addr.String()
}

func (o Resolver) clientAddr(r *http.Request) (netip.Addr, bool) {
	addr, known, _ := o.ForwardedFor(r)
	return addr, known
}

// ForwardedFor follows X-Forwarded-For from proxy to proxy as long as they are trusted.
// addr is the first that is not trusted, which is the client. If addr forwards somebody
// else's request, it is disbelieved: that may be a proxy that the operator forgot.
func (o Resolver) ForwardedFor(r *http.Request) (addr netip.Addr, known, disbelieved bool) {
	addr, known = peer(r.RemoteAddr)
	for hop := range hops(r) {
		next, readable := readAddress(hop)
		if !readable {
			break
		}
		if known && !o.trusts(addr) {
			return addr, known, true
		}
		addr, known = next, true
	}
	return addr, known, false
}

// hops are the entries of X-Forwarded-For from the right.
func hops(r *http.Request) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, rest := range slices.Backward(r.Header["X-Forwarded-For"]) {
			for comma := 0; comma >= 0; {
				comma = strings.LastIndexByte(rest, ',')
				if !yield(rest[comma+1:]) {
					return
				}
				rest = rest[:max(comma, 0)]
			}
		}
	}
}

// peer reads the address at the other end of the connection; there is none on
// a Unix socket, where only a proxy of this machine can be.
func peer(remote string) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(host)
	return addr.Unmap().WithZone(""), err == nil
}

func (o Resolver) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(o.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Networks are the parts of the client's address that one customer usually holds, the smallest first: whoever
// has one address of a part has all of them. Providers give a /64, a /56 or a /48 of IPv6.
func (o Resolver) Networks(r *http.Request) (networks []string) {
	addr, ok := o.clientAddr(r)
	if !ok {
		return []string{"local"}
	}
	sizes := []int{24}
	if addr.Is6() {
		sizes = []int{64, 56, 48}
	}
	for _, bits := range sizes {
		prefix, _ := addr.Prefix(bits) // which fails for none of these sizes
		networks = append(networks, prefix.String())
	}
	return networks
}

// shared is where providers put their customers' own addresses.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// Inside tells whether an address is of this machine or a private network. Anybody
// outside can send an X-Forwarded-For; there it says nothing of how this is set up.
func Inside(addr netip.Addr) bool {
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || shared.Contains(addr)
}
