package origin

import "net/http"

// FromTrustedProxy tells whether a trusted proxy is at the other end of the connection. Who is at a Unix socket
// has no address, and is not.
func (o Resolver) FromTrustedProxy(r *http.Request) bool {
	addr, known := peer(r.RemoteAddr)
	return known && o.trusts(addr)
}
