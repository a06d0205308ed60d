package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"rollcall/server/origin"
)

// The values of flags that have a form of their own. Each refuses a bad value when it is set, so
// that the error names the flag or the variable it came from.

// listenAddress is host:port or unix:/path.
type listenAddress struct{ text string }

func (a *listenAddress) String() string { return a.text }
func (a *listenAddress) Type() string   { return "address" }

func (a *listenAddress) Set(text string) error {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		if !filepath.IsAbs(path) {
			return errors.New("a socket needs an absolute path, such as unix:/run/rollcall.sock")
		}
		a.text = text
		return nil
	}
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return errors.New("it must be host:port, such as 127.0.0.1:8080, or unix:/path")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is not a port", port)
	}
	a.text = text
	return nil
}

// socket is the path of a socket file, "" for a network address.
func (a *listenAddress) socket() string {
	path, ok := strings.CutPrefix(a.text, "unix:")
	if !ok {
		return ""
	}
	return path
}

// private tells whether only programs of this machine can connect.
func (a *listenAddress) private() bool {
	if a.socket() != "" {
		return true
	}
	host, _, _ := net.SplitHostPort(a.text)
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// publicURL is scheme://host[:port].
type publicURL struct{ *url.URL }

func (u *publicURL) String() string {
	if u.URL == nil {
		return ""
	}
	return u.URL.String()
}
func (u *publicURL) Type() string { return "url" }

func (u *publicURL) Set(text string) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Hostname() == "" || parsed.Scheme != "http" && parsed.Scheme != "https":
		return errors.New("it must be like https://rollcall.example")
	case parsed.User != nil:
		return errors.New("it must not contain a user or password")
	case parsed.RawQuery != "" || parsed.ForceQuery || strings.Contains(text, "#"):
		return errors.New("it must not contain a query or fragment")
	case parsed.Path != "" && parsed.Path != "/":
		return fmt.Errorf("it must not contain a path; give that as --base-path %s", strings.TrimRight(parsed.Path, "/"))
	}
	host, err := hostAsSent(parsed)
	u.URL = &url.URL{Scheme: parsed.Scheme, Host: host}
	return err
}

// hostAsSent is the host of an address as browsers send it: bücher.example is xn--bcher-kva.example
// to them, and a port that the scheme implies is left out. The tables for that are in net/http,
// which shows them nowhere but in a request that it writes.
func hostAsSent(u *url.URL) (string, error) {
	var sent bytes.Buffer
	asking := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host), Path: "/"}}
	if err := asking.Write(&sent); err != nil {
		return "", fmt.Errorf("%s is not a host name", u.Host)
	}
	read, err := http.ReadRequest(bufio.NewReader(&sent))
	if err != nil {
		return "", fmt.Errorf("%s is not a host name", u.Host)
	}
	host := read.Host
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return host, nil
}

// basePath is "" or like /rollcall.
type basePath struct{ text string }

func (p *basePath) String() string { return p.text }
func (p *basePath) Type() string   { return "path" }

func (p *basePath) Set(text string) error {
	if text == "/" {
		p.text = ""
		return nil
	}
	segments := strings.Split(text, "/")
	if len(segments) < 2 || segments[0] != "" {
		return errors.New("it must start with a slash, such as /rollcall")
	}
	for _, segment := range segments[1:] {
		switch {
		case segment == "":
			return errors.New("it must not end with a slash or contain two in a row")
		case segment == "." || segment == ".." || segment != url.PathEscape(segment) || strings.ContainsAny(segment, "{}"):
			return errors.New("it may only contain letters, digits, -, _, . and ~ between slashes")
		}
	}
	p.text = text
	return nil
}

// prefixes are networks; a single address is a network of one.
type prefixes struct{ list []netip.Prefix }

func (p *prefixes) String() string { return joined(p.list) }
func (p *prefixes) Type() string   { return "networks" }

func (p *prefixes) Set(text string) error {
	return eachPart(text, func(part string) error {
		prefix, err := parsePrefix(part)
		p.list = append(p.list, prefix)
		return err
	})
}

// parsePrefix reads a network or an address. IPv4 inside IPv6 is IPv4.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return prefix, fmt.Errorf("%q is neither an address nor a network like 10.0.0.0/8", text)
	case prefix != prefix.Masked():
		return prefix, fmt.Errorf("%s has host bits set; the network is %s", text, prefix.Masked())
	case prefix.Addr().Is4In6() && prefix.Bits() >= 96:
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix, nil
}

// namedNetworks are networks that have a name, like Office=192.168.1.0/24.
type namedNetworks struct{ list []origin.Network }

func (n *namedNetworks) String() string { return joined(n.list) }
func (n *namedNetworks) Type() string   { return "NAME=CIDR" }

func (n *namedNetworks) Set(text string) error {
	return eachPart(text, func(part string) error {
		name, network, _ := strings.Cut(part, "=")
		name, network = strings.TrimSpace(name), strings.TrimSpace(network)
		if name == "" || network == "" {
			return fmt.Errorf("%q is not like Office=192.168.1.0/24", part)
		}
		if utf8.RuneCountInString(name) > maxNetworkName || printable(name) != name {
			return fmt.Errorf("a name must have at most %d visible characters", maxNetworkName)
		}
		prefix, err := parsePrefix(network)
		if err != nil {
			return err
		}
		for _, other := range n.list {
			if other.Prefix == prefix && other.Name != name {
				return fmt.Errorf("%s has two names, %s and %s", prefix, other.Name, name)
			}
		}
		n.list = append(n.list, origin.Network{Name: name, Prefix: prefix})
		return nil
	})
}

const maxNetworkName = 60

// hostNames are names as they stand in a Host header, without the port.
type hostNames struct{ list []string }

func (h *hostNames) String() string { return strings.Join(h.list, ",") }
func (h *hostNames) Type() string   { return "name" }

func (h *hostNames) Set(text string) error {
	return eachPart(text, func(part string) error {
		if strings.ContainsAny(part, "/:*@?# ") {
			return fmt.Errorf("%q is not a host name; give it without scheme, port and wildcards", part)
		}
		name, err := hostAsSent(&url.URL{Host: strings.TrimSuffix(part, ".")})
		h.list = append(h.list, name)
		return err
	})
}

// eachPart calls add for each part of a comma-separated list.
func eachPart(text string, add func(string) error) error {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			return errors.New("it contains an empty part")
		}
		if err := add(part); err != nil {
			return err
		}
	}
	return nil
}

func joined[T fmt.Stringer](list []T) string {
	var texts []string
	for _, item := range list {
		texts = append(texts, item.String())
	}
	return strings.Join(texts, ",")
}
