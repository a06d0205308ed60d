package demo

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"rollcall/server/api"
	"rollcall/server/origin"
)

// sampleApp is the application behind /demo/app, Acme Notes.
const sampleApp = "notes"

// organization is a customer of the invented applications.
type organization struct {
	name, domain, app string
	network           string // of the addresses that RFC 5737 keeps for examples
	pages             []string
	teams             []team
}

type team struct {
	name  string
	roles []string
}

var organizations = []organization{
	{
		"Northwind Clinic", "northwind.example", "charts", "192.0.2.%d",
		[]string{"/schedule", "/inbox", "/patients", "/patients/%d", "/patients/%d/labs", "/patients/%d/notes", "/wards/3"},
		[]team{
			{"Radiology", []string{"radiologist", "technician"}}, {"Emergency", []string{"physician", "nurse", "nurse"}},
			{"Reception", []string{"receptionist"}}, {"Pharmacy", []string{"pharmacist"}},
		},
	},
	{
		"Harbor Logistics", "harbor.example", "freight", "198.51.100.%d",
		[]string{"/routes", "/routes/live", "/orders", "/orders/%d", "/orders/%d/customs", "/gates", "/invoices/%d"},
		[]team{
			{"Dispatch", []string{"dispatcher", "dispatcher", "planner"}}, {"Warehouse", []string{"clerk", "foreman"}},
			{"Customs", []string{"declarant"}},
		},
	},
	{
		"Juniper Press", "juniper.example", "newsroom", "203.0.113.%d",
		[]string{"/calendar", "/articles", "/articles/%d", "/articles/%d/edit", "/articles/%d/preview", "/pictures", "/rights"},
		[]team{
			{"Editorial", []string{"editor", "author", "author"}}, {"Layout", []string{"designer"}},
			{"Rights", []string{"lawyer"}},
		},
	},
}

// networks are the organizations' own, the way in from outside, and where whoever looks at the demo
// is. Phones are anywhere.
var networks = []origin.Network{
	{Name: "Northwind Boston", Prefix: netip.MustParsePrefix("192.0.2.0/25")}, {Name: "Northwind Salem", Prefix: netip.MustParsePrefix("192.0.2.128/25")},
	{Name: "Harbor Rotterdam", Prefix: netip.MustParsePrefix("198.51.100.0/24")}, {Name: "Juniper Lisbon", Prefix: netip.MustParsePrefix("203.0.113.0/24")},
	{Name: "VPN", Prefix: netip.MustParsePrefix("2001:db8:6::/48")},
	{Name: "This computer", Prefix: netip.MustParsePrefix("127.0.0.0/8")}, {Name: "This computer", Prefix: netip.MustParsePrefix("::1/128")},
}

// Addresses of those who are not in their organization's network; RFC 3849 keeps these for examples.
const (
	vpn    = "2001:db8:6::%x"
	abroad = "2001:db8:%x::7"
)

// wiki is the application that everybody has besides their own.
const wiki = "wiki"

var wikiPages = []string{"/home", "/handbook", "/handbook/holidays", "/howto/%d", "/search"}

// calls are why somebody must not be disturbed.
var calls = []string{"On a call", "In a meeting", "Recording a training", "With a customer", "Presenting"}

// directory has the people of all the applications, because of the wiki.
const directory = "staff"

func appNames() []string {
	names := []string{sampleApp, wiki}
	for _, org := range organizations {
		names = append(names, org.app)
	}
	return names
}

var (
	firstNames = strings.Fields("Amara Anders Ayşe Beatriz Chidi Chloé Dagny Dmitri Elif Esperanza Farid Fiona Giulia Hana Henrik Imani " +
		"Ines Jamal Jana Kenji Kofi Lakshmi Leila Linh Łukasz Mateo Mei Milan Nadia Noor Olivia Oskar Priya Quentin Rosa Samir Sofia Tariq " +
		"Thảo Ulrike Valentina Wanjiru Xavier Yasmin Yusuf Zoë")
	lastNames = strings.Fields("Abebe Andersson Bakker Baptiste Castillo Chen Dubois Eriksen Ferrari García Haddad Hoffmann Ivanova Jensen " +
		"Kaya Kim Kowalska Lindqvist Mbeki Meyer Moreau Müller Nakamura Ndiaye Nguyễn Novák O'Brien Okafor Oliveira Patel Petrov " +
		"Quispe Rahman Rossi Santos Schneider Sharma Silva Tanaka Usman Vasquez Wagner Weber Wójcik Yamamoto Yılmaz Zhang")
	desktops = []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
		"Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
	}
	phones = []string{
		"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
	}
)

// MaxPeople is how many people there are names for.
const MaxPeople = 1000

// visitors is how many people stay away, for whoever tries the sample page.
const visitors = 6

// cast is everybody in the demo.
type cast struct {
	lives    []*life
	visitors []api.UserInput
}

// newCast invents people. Each has a random source of their own, so that what they do does not
// depend on how quickly the others are answered.
func newCast(seed uint64, people int) cast {
	var company cast
	rng := rand.New(rand.NewPCG(seed, 0))
	names := rng.Perm(len(firstNames) * len(lastNames))
	for n := range people + visitors {
		org := organizations[n%len(organizations)]
		user := invent(rng, org, n+1, names[n])
		if n < visitors {
			company.visitors = append(company.visitors, user)
			continue
		}
		desk := &life{
			user: user, app: org.app, pages: org.pages,
			userAgent: pick(rng, desktops), address: fmt.Sprintf(org.network, 1+67*n%254),
			rng:     rand.New(rand.NewPCG(seed, uint64(n))),
			arrival: time.Duration(rng.IntN(1200)) * time.Millisecond,
		}
		if rng.IntN(6) == 0 {
			desk.address = fmt.Sprintf(vpn, 1+n)
		}
		if rng.IntN(8) == 0 { // late
			desk.arrival = time.Duration(5+rng.IntN(30)) * time.Second
		}
		company.lives = append(company.lives, desk)
		if rng.IntN(5) == 0 {
			company.lives = append(company.lives, desk.secondDevice(rng, seed, n))
		}
	}
	return company
}

func invent(rng *rand.Rand, org organization, number, name int) api.UserInput {
	first, last := firstNames[name%len(firstNames)], lastNames[name/len(firstNames)]
	team := pick(rng, org.teams)
	return api.UserInput{
		ID:           fmt.Sprintf("%s-%d", org.app, 1000+number),
		Name:         new(first + " " + last),
		Email:        new(mailbox(first, last) + "@" + org.domain),
		Role:         new(pick(rng, team.roles)),
		Team:         new(team.name),
		Organization: new(org.name),
	}
}

// mailbox keeps the letters that every mail system takes.
func mailbox(first, last string) string {
	plain := func(name string) string {
		return strings.Map(func(r rune) rune {
			if r < 'a' || r > 'z' {
				return -1
			}
			return r
		}, strings.ToLower(unaccented.Replace(name)))
	}
	return plain(first) + "." + plain(last)
}

var unaccented = strings.NewReplacer("ş", "s", "é", "e", "Ł", "l", "ả", "a", "ë", "e", "í", "i", "ü", "u", "ễ", "e",
	"á", "a", "ó", "o", "ı", "i")

// secondDevice is the same person's phone, or the wiki in another window.
func (l *life) secondDevice(rng *rand.Rand, seed uint64, n int) *life {
	other := *l
	other.rng = rand.New(rand.NewPCG(seed, uint64(n)+MaxPeople+visitors))
	other.arrival += time.Duration(1+rng.IntN(20)) * time.Second
	other.app, other.pages = wiki, slices.Clone(wikiPages)
	if rng.IntN(2) == 0 {
		other.userAgent, other.address = pick(rng, phones), fmt.Sprintf(abroad, 0x1000+n)
	}
	return &other
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }
