package server

import (
	"iter"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientIP returns the address of the browser or back end, "" when unknown. A
// proxy's word for it counts only if the proxy is trusted: anybody can send an
// X-Forwarded-For. From the right, each trusted proxy names who called it.
func (s *Server) clientIP(r *http.Request) string {
	addr, ok := s.clientAddr(r)
	if !ok {
		return ""
	}
	return addr.String()
}

func (s *Server) clientAddr(r *http.Request) (netip.Addr, bool) {
	addr, known, _ := s.forwardedFor(r)
	return addr, known
}

// forwardedFor follows X-Forwarded-For as far as those who tell are trusted. disbelieved
// tells that addr itself says for whom it asks, and that this does not count.
func (s *Server) forwardedFor(r *http.Request) (addr netip.Addr, known, disbelieved bool) {
	addr, known = peer(r.RemoteAddr)
	for hop := range hops(r) {
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if known && !s.trusts(addr) {
			return addr, known, true
		}
		addr, known = next.Unmap().WithZone(""), true
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

func (s *Server) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(s.cfg.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// network is the part of the client's address that one customer usually holds:
// whoever has one address of it has all of them.
func (s *Server) network(r *http.Request) string {
	addr, ok := s.clientAddr(r)
	if !ok {
		return "local"
	}
	bits := 24
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return addr.String()
	}
	return prefix.String()
}
