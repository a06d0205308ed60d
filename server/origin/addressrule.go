package origin

import (
	"net/netip"
	"regexp"
	"strings"

	"rollcall/store/sqldb"
)

// AddressRule is how much of people's addresses is stored and logged.
type AddressRule string

// The rules. None given is FullAddresses.
const (
	FullAddresses      AddressRule = "full"
	TruncatedAddresses AddressRule = "truncated" // only the network: /24 of IPv4, /48 of IPv6
	NoAddresses        AddressRule = "off"
)

// Keep returns what may be kept of an address. Under a rule, a text that is no
// address is not kept at all: nobody knows what it gives away.
func (rule AddressRule) Keep(text string) string {
	addr, known := readAddress(first(text))
	switch {
	case rule == NoAddresses, rule == TruncatedAddresses && !known:
		return ""
	case rule == TruncatedAddresses:
		return truncated(addr).String()
	case known:
		return addr.String()
	}
	return text
}

// Sought returns what to look for where somebody filters by an address. One that can not
// be found is an error: it must not find everybody, as no filter does.
func (rule AddressRule) Sought(text string) (string, error) {
	kept := rule.Keep(text)
	switch {
	case kept != "" || text == "":
		return kept, nil
	case rule == NoAddresses:
		return "", &sqldb.InvalidError{Problem: "Addresses are not kept here (--ip off), so ip finds nothing"}
	}
	return "", &sqldb.InvalidError{Problem: "ip must be an address"}
}

// mentioned is what may be an address in a text, with its port.
var mentioned = regexp.MustCompile(`\[[0-9A-Fa-f:.]+(%\w+)?\](:\d+)?|\d{1,3}(\.\d{1,3}){3}(:\d+)?|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f.]*`)

// InText applies the rule to a text that may mention addresses, for the log.
func (rule AddressRule) InText(text string) string {
	if rule != TruncatedAddresses && rule != NoAddresses {
		return text
	}
	return mentioned.ReplaceAllStringFunc(text, func(mention string) string {
		if _, known := readAddress(mention); !known {
			return mention
		}
		if kept := rule.Keep(mention); kept != "" {
			return kept
		}
		return "(address)"
	})
}

func truncated(addr netip.Addr) netip.Addr {
	bits := 24
	if addr.Is6() {
		bits = 48
	}
	return netip.PrefixFrom(addr, bits).Masked().Addr()
}

// readAddress reads an address in any usual spelling: with or without a port, brackets,
// quotes, a zone. Proxies disagree about what belongs into X-Forwarded-For.
func readAddress(text string) (netip.Addr, bool) {
	text = strings.Trim(text, " \t\r\n\"'")
	if inner, ok := strings.CutPrefix(text, "["); ok {
		var port string
		if text, port, ok = strings.Cut(inner, "]"); !ok || port != "" && !isPort(port) {
			return netip.Addr{}, false
		}
	} else if host, port, ok := strings.Cut(text, ":"); ok && isPort(":"+port) {
		text = host // of IPv4: an IPv6 address has two colons at least
	}
	addr, err := netip.ParseAddr(text)
	return addr.Unmap().WithZone(""), err == nil
}

// isPort tells whether a text is a colon with the number of a port behind it, if any.
func isPort(text string) bool {
	digits, ok := strings.CutPrefix(text, ":")
	return ok && len(digits) <= len("65535") && strings.Trim(digits, "0123456789") == ""
}

// first is what stands first in a list, which is whom the request came from where a back
// end reports the whole X-Forwarded-For or Forwarded that it got.
func first(text string) string {
	text, _, _ = strings.Cut(text, ",")
	for pair := range strings.SplitSeq(text, ";") {
		name, node, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if ok && strings.EqualFold(name, "for") {
			return node
		}
	}
	// Java writes the name of the host and a slash before an address, PostgreSQL a slash and its size behind it.
	if text = strings.TrimPrefix(strings.TrimSpace(text), "/"); strings.HasSuffix(text, "/32") || strings.HasSuffix(text, "/128") {
		text = text[:strings.LastIndexByte(text, '/')]
	}
	return text
}
