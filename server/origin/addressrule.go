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
	addr, known := readAddress(text)
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

// readAddress reads an address in any usual spelling, with or without a port.
func readAddress(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return addr.Unmap().WithZone(""), true
	}
	return peer(text)
}
