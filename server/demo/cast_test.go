package demo

import (
	"net/netip"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/server/origin"
)

// habits are what a life does in its first steps.
func habits(l *life, steps int) []mood {
	done := []mood{l.arrive()}
	for range steps {
		last := done[len(done)-1]
		if last.gone {
			done = append(done, l.arrive())
			continue
		}
		done = append(done, l.next(last))
	}
	return done
}

func TestTheSameSeedIsTheSameDemo(t *testing.T) {
	type person struct {
		User    api.UserInput
		App     string
		Arrival time.Duration
		Habits  []string
	}
	describe := func(seed uint64) (all []person) {
		for _, l := range newCast(seed, 40).lives {
			described := person{User: l.user, App: l.app, Arrival: l.arrival}
			for _, m := range habits(l, 20) {
				described.Habits = append(described.Habits, m.page+" "+m.until.String())
			}
			all = append(all, described)
		}
		return all
	}
	if diff := cmp.Diff(describe(7), describe(7)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(describe(7), describe(8)) {
		t.Error("another seed changes nothing")
	}
}

func TestEverybodyIsSomebodyElse(t *testing.T) {
	email := regexp.MustCompile(`^[a-z]+\.[a-z]+@[a-z]+\.example$`)
	company := newCast(1, MaxPeople)
	names, devices := map[string]string{}, map[string]int{}
	check := func(user api.UserInput) {
		if known, ok := names[*user.Name]; ok && known != user.ID {
			t.Errorf("two people are called %s", *user.Name)
		}
		names[*user.Name] = user.ID
		if !email.MatchString(*user.Email) {
			t.Errorf("%s has the address %s", *user.Name, *user.Email)
		}
	}
	for _, l := range company.lives {
		check(l.user)
		devices[l.user.ID]++
	}
	for _, visitor := range company.visitors {
		check(visitor)
		if devices[visitor.ID] > 0 {
			t.Errorf("%s is kept for the sample page but lives here", *visitor.Name)
		}
	}
	if len(devices) != MaxPeople || len(names) != MaxPeople+visitors {
		t.Errorf("%d people of %d names", len(devices), len(names))
	}
	second := 0
	for _, n := range devices {
		if n > 1 {
			second++
		}
	}
	if second < MaxPeople/10 || second > MaxPeople/3 {
		t.Errorf("%d have a second device", second)
	}
}

func TestPeopleDoAllThatPeopleDo(t *testing.T) {
	var working, resting, leaving, returning, gone, pages, calling int
	for _, l := range newCast(1, 40).lives {
		var last mood
		for _, m := range habits(l, 200) {
			switch {
			case m.gone:
				gone++
			case m.leaving:
				leaving++
			case m.idle > 0:
				resting++
			default:
				working++
			}
			if m.busy != "" {
				calling++
			}
			if last.leaving && !m.gone {
				returning++
			}
			if last.page != "" && !m.gone && !last.leaving && m.page != last.page {
				pages++
			}
			if !m.gone && (m.until < time.Second || m.until > time.Minute) {
				t.Fatalf("a step of %s", m.until)
			}
			if m.idle > 0 && m.idle < 5*time.Minute {
				t.Fatalf("idle for only %s", m.idle)
			}
			last = m
		}
	}
	if pages < working/2 {
		t.Errorf("they turn only %d pages in %d steps", pages, working)
	}
	for what, n := range map[string]int{"work": working, "rest": resting, "leave": leaving, "return": returning, "log out": gone, "are busy": calling} {
		if n < 100 {
			t.Errorf("they %s only %d times", what, n)
		}
	}
	if working < 2*resting || working+resting < 5*(leaving+gone) {
		t.Errorf("too little work: %d working, %d resting, %d leaving, %d gone", working, resting, leaving, gone)
	}
}

func TestSetback(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want time.Duration
	}{
		{"a draining server says how long", &client.Error{Status: 503, Code: "unavailable", RetryAfter: 7 * time.Second}, 7 * time.Second},
		{"a server that is gone", t.Context().Err(), 2 * time.Second},
		{"somebody was signed out", &client.Error{Status: 404, Code: "session_ended"}, 45 * time.Second},
		{"a refusal", &client.Error{Status: 401, Code: "unauthenticated"}, 5 * time.Second},
	}
	for _, test := range tests {
		if got := setback(test.err); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestPeopleComeFromManyPlacesOnManyDevices(t *testing.T) {
	agents, places, nowhere := map[string]bool{}, map[string]bool{}, 0
	for _, l := range newCast(1, 40).lives {
		agents[l.userAgent] = true
		address, err := netip.ParseAddr(l.address)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(networks, func(n origin.Network) bool { return n.Prefix.Contains(address) })
		if at < 0 {
			nowhere++
			continue
		}
		places[networks[at].Name] = true
	}
	if len(agents) < 6 || len(places) != 5 || nowhere == 0 || nowhere > 10 {
		t.Errorf("%d user agents, %v, and %d elsewhere", len(agents), places, nowhere)
	}
}
