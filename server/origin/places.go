package origin

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/rs/zerolog"
)

// Network is a part of the world that the operator has a name for.
type Network struct {
	Name   string
	Prefix netip.Prefix
}

func (n Network) String() string { return n.Name + "=" + n.Prefix.String() }

// Places tells where an address is: in which named network, else in which city
// or country by a file. It never asks anybody. A nil *Places knows nothing.
type Places struct {
	networks []Network // the most specific first
	cities   *cityFile // nil: none
}

// NewPlaces returns the places of networks and of a file in MaxMind's format,
// "" for none. If the file is replaced by one that can not be read, the log is told, and
// the places stay as they were.
func NewPlaces(networks []Network, geoip string, log zerolog.Logger) (*Places, error) {
	p := &Places{networks: slices.Clone(networks)}
	slices.SortStableFunc(p.networks, func(a, b Network) int { return b.Prefix.Bits() - a.Prefix.Bits() })
	if geoip == "" {
		return p, nil
	}
	var err error
	if p.cities, err = openCities(geoip, log); err != nil {
		return nil, fmt.Errorf("reading the places in %s: %w", geoip, err)
	}
	return p, nil
}

// of returns the place of an address, "" where it is not known.
func (p *Places) of(addr netip.Addr) string {
	if p == nil || !addr.IsValid() {
		return ""
	}
	for _, n := range p.networks {
		if n.Prefix.Contains(addr) {
			return n.Name
		}
	}
	if p.cities == nil {
		return ""
	}
	return p.cities.of(addr)
}
