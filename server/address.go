package server

import (
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
	addr, known := peer(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if known && !s.trusts(addr) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		addr, known = next.Unmap().WithZone(""), true
	}
	return addr, known
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
