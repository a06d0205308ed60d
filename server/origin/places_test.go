package origin

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/rs/zerolog"
)

// cities is a file of places: prefix to "city, country", either of them empty.
func cities(t testing.TB, kind string, places map[string]string) []byte {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for prefix, place := range places {
		_, network, err := net.ParseCIDR(prefix)
		if err != nil {
			t.Fatal(err)
		}
		entry := mmdbtype.Map{}
		city, country, _ := strings.Cut(place, ", ")
		for part, name := range map[string]string{"city": city, "country": country} {
			if name != "" {
				entry[mmdbtype.String(part)] = mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(name), "de": mmdbtype.String("auf Deutsch")}}
			}
		}
		if err := tree.Insert(network, entry); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if _, err := tree.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// put writes a file that has not been written to for long enough to be read.
func put(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	age(t, path, time.Minute)
}

func age(t testing.TB, path string, d time.Duration) {
	t.Helper()
	then := time.Now().Add(-d)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func networks(pairs ...string) (all []Network) {
	for _, pair := range pairs {
		name, prefix, _ := strings.Cut(pair, "=")
		all = append(all, Network{name, netip.MustParsePrefix(prefix)})
	}
	return all
}

func TestPlaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "places.mmdb")
	put(t, path, cities(t, "GeoLite2-City", map[string]string{
		"203.0.113.0/24": "Berlin, Germany", "198.51.100.0/24": ", France", "192.0.2.0/25": "Singapore, Singapore", "2001:db8::/32": "Kyōto, Japan", "192.0.2.128/25": "Atlantis",
		"100.64.0.0/10": "",
	}))
	p, err := NewPlaces(networks("Company=10.0.0.0/8", "Lab=10.1.2.0/24", "Office=10.1.0.0/16", "Desk=203.0.113.9/32", "VPN=2001:db8:1::/48"), path, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"10.9.9.9": "Company", "10.1.9.9": "Office", "10.1.2.9": "Lab", "203.0.113.9": "Desk", "2001:db8:1::7": "VPN", "[2001:db8:1::7]:443": "VPN",
		"203.0.113.10": "Berlin, Germany", "198.51.100.1": "France", "192.0.2.1": "Singapore", "192.0.2.200": "Atlantis", "2001:db8:2::7": "Kyōto, Japan",
		"::ffff:10.1.2.3": "Lab", "::ffff:203.0.113.10": "Berlin, Germany", "10.1.2.3:4711": "Lab", " 10.1.2.3 ": "Lab",
		"100.64.0.1": "", "8.8.8.8": "", "2620::1": "", "": "", "unknown": "", "fe80::1%eth0": "",
	} {
		addr, _ := readAddress(address)
		if got := p.of(addr); got != want {
			t.Errorf("%q is in %q, want %q", address, got, want)
		}
	}
	countries := filepath.Join(t.TempDir(), "countries.mmdb")
	put(t, countries, cities(t, "DBIP-Country-Lite", map[string]string{"203.0.113.0/24": ", Germany"}))
	if p, err = NewPlaces(nil, countries, zerolog.Nop()); err != nil || p.of(netip.MustParseAddr("203.0.113.9")) != "Germany" {
		t.Errorf("a file of countries: %v", err)
	}
}

func TestAFileThatIsNoneOfPlacesStopsTheStart(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string][]byte{
		"empty": {}, "text": []byte("Berlin"), "half": cities(t, "GeoLite2-City", map[string]string{"203.0.113.0/24": "Berlin, Germany"})[:900],
		"of providers": cities(t, "GeoLite2-ASN", nil),
	} {
		put(t, filepath.Join(folder, name), content)
	}
	for name, want := range map[string]string{
		"none": "no such file", "empty": "not a database in MaxMind's format", "text": "not a database", "half": "not a database", "of providers": `of the type "GeoLite2-ASN"`, ".": "not a file",
	} {
		_, err := NewPlaces(nil, filepath.Join(folder, name), zerolog.Nop())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), folder) != 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheFileOfPlacesIsReadAgainWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "places.mmdb")
	of := func(city string) []byte {
		return cities(t, "GeoLite2-City", map[string]string{"203.0.113.0/24": city + ", Germany"})
	}
	put(t, path, of("Berlin"))
	log := &bytes.Buffer{}
	p, err := NewPlaces(nil, path, zerolog.New(log))
	if err != nil {
		t.Fatal(err)
	}
	finds := func(what, want string, told int) {
		t.Helper()
		for range 3 {
			if got := p.of(netip.MustParseAddr("203.0.113.9")); got != want {
				t.Errorf("%s: in %q, want %q", what, got, want)
			}
		}
		if got := strings.Count(log.String(), "no good"); got != told {
			t.Errorf("%s: told %d times of a file that is no good, want %d", what, got, told)
		}
	}
	finds("at first", "Berlin, Germany", 0)

	put(t, path+".new", of("Hamburg"))
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	finds("after a rename", "Hamburg, Germany", 0)

	put(t, path, of("Bonn"))
	age(t, path, 50*time.Second)
	finds("rewritten in place", "Bonn, Germany", 0)

	if err := os.WriteFile(path, of("Cologne"), 0o600); err != nil {
		t.Fatal(err)
	}
	finds("while it may still be written to", "Bonn, Germany", 0)
	age(t, path, 2*time.Second)
	finds("a moment later", "Cologne, Germany", 0)

	if err := os.Truncate(path, 500); err != nil {
		t.Fatal(err)
	}
	age(t, path, 40*time.Second)
	finds("cut short", "Cologne, Germany", 1)
	put(t, path, nil)
	age(t, path, 30*time.Second)
	finds("emptied", "Cologne, Germany", 2)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	finds("removed", "Cologne, Germany", 3)
	put(t, path, of("Kiel"))
	finds("back again", "Kiel, Germany", 3)
	put(t, path, of("Jena"))
	age(t, path, -time.Hour)
	finds("with a time in the future", "Jena, Germany", 3)
}

// TestADamagedFileOfPlacesHurtsNobody turns bytes around, one after the other.
func TestADamagedFileOfPlacesHurtsNobody(t *testing.T) {
	whole := cities(t, "GeoLite2-City", map[string]string{"203.0.113.0/24": "Berlin, Germany", "198.51.100.0/24": "Paris, France", "2001:db8::/32": "Kyōto, Japan"})
	path := filepath.Join(t.TempDir(), "places.mmdb")
	read := 0
	for i := range whole {
		damaged := bytes.Clone(whole)
		damaged[i] ^= byte(1 << (i % 8))
		put(t, path, damaged)
		p, err := NewPlaces(nil, path, zerolog.Nop())
		if err != nil {
			continue
		}
		read++
		for _, address := range []string{"203.0.113.9", "198.51.100.9", "2001:db8::9", "8.8.8.8", "::"} {
			p.of(netip.MustParseAddr(address))
		}
	}
	if read == 0 {
		t.Error("none of them could be read, so this test shows nothing")
	}
}
