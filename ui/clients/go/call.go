package rollcall

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Person is somebody as Rollcall shows them. Of what is "", Rollcall keeps what it knows.
type Person struct {
	ID           string `json:"id"`
	Name         string `json:"name,omitempty"`
	Email        string `json:"email,omitempty"`
	Role         string `json:"role,omitempty"`
	Organization string `json:"organization,omitempty"`
	Team         string `json:"team,omitempty"`
}

// clipped has no text that is longer than Rollcall takes.
func (p Person) clipped() Person {
	for _, text := range []*string{&p.Name, &p.Email, &p.Role, &p.Organization, &p.Team} {
		if runes := []rune(*text); len(runes) > 200 {
			*text = string(runes[:200])
		}
	}
	return p
}

// keyOf is Rollcall's name for a session, from which nobody gets to know the id.
func keyOf(id string) string {
	sum := sha256.Sum256([]byte("rollcall " + id))
	return hex.EncodeToString(sum[:])
}

// token is the same each time for one session, and nobody else can find it out.
func (c *Client) token(id string) string {
	mac := hmac.New(sha256.New, []byte(c.key))
	mac.Write([]byte(keyOf(id)))
	return hex.EncodeToString(mac.Sum(nil))
}

type answer struct {
	Success     *bool
	Code, Error string
}

// ask returns what Rollcall answers, and whether that is a success. No answer is none with one of the codes.
func (c *Client) ask(r *http.Request, method, path string, body any, codes ...string) (a answer, ok bool) {
	if c.off() {
		return a, false
	}
	a, status, err := c.send(r.Context(), method, path, body)
	ok = err == nil && a.Success != nil && status < 300
	if !ok && !(a.Success != nil && slices.Contains(codes, a.Code)) {
		if c.failing.CompareAndSwap(false, true) {
			log.Printf("Rollcall: %d %s %v. People may be missing from its list; nobody is kept out.", status, a.Error, err)
		}
		return answer{}, false
	}
	c.failing.Store(false)
	return a, ok
}

// send goes on where the visitor hangs up: a logout is one all the same.
func (c *Client) send(ctx context.Context, method, path string, body any) (a answer, status int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return a, 0, err
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), method, c.base+path, bytes.NewReader(text))
	if err != nil {
		return a, 0, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return a, 0, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&a); err != nil {
		return answer{}, res.StatusCode, fmt.Errorf("no answer of Rollcall: %w", err)
	}
	return a, res.StatusCode, nil
}

// networks reads a list of addresses and networks.
func networks(list string) (all []netip.Prefix) {
	for _, text := range strings.Split(list, ",") {
		text = strings.TrimSpace(text)
		if network, err := netip.ParsePrefix(text); err == nil {
			all = append(all, network)
		} else if addr, err := netip.ParseAddr(text); err == nil {
			all = append(all, netip.PrefixFrom(addr, addr.BitLen()))
		}
	}
	return all
}

// address is the visitor's: each proxy that is trusted says who called it.
func (c *Client) address(r *http.Request) string {
	address, _, _ := net.SplitHostPort(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && c.trusts(address); i-- {
		if hop, err := netip.ParseAddr(strings.TrimSpace(hops[i])); err == nil {
			address = hop.String()
		}
	}
	return address
}

func (c *Client) trusts(address string) bool {
	addr, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(c.proxies, func(network netip.Prefix) bool { return network.Contains(addr.Unmap()) })
}
