// Package authproxy reads who is logged in from the headers that an authenticating proxy adds to requests (trusted
// headers; Authelia, oauth2-proxy, Tailscale, Basic authentication). It knows what the headers mean and who may do what;
// it knows no database and no sessions, and not which page may use what it says.
package authproxy
