package server

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/presence"
)

var replays = flag.Uint64("replays", 4, "how many random histories TestTheFeedReplayedIsTheList tries")

// follower keeps a list by the feed alone, as the panel does.
type follower struct {
	*reader
	people map[string]api.Person
	counts presence.Counts
	level  presence.GateLevel
	told   int // arrivals and departures
}

// catchUp applies all that the feed has said. It ends in the middle between two
// looks of the feed, so that nothing anybody does then falls due during a look.
func (f *follower) catchUp(t *testing.T) {
	t.Helper()
	now := time.Now()
	time.Sleep(now.Truncate(time.Second).Add(2*time.Second + 500*time.Millisecond).Sub(now))
	synctest.Wait()
	for len(f.read) > 0 {
		e := f.next()
		_, known := f.people[e.User.ID]
		switch e.Type {
		case "online", "updated":
			if known != (e.Type == "updated") {
				t.Fatalf("%v of somebody who is known: %v", e, known)
			}
			f.people[e.User.ID] = e.entry
		case "offline":
			if !known {
				t.Fatalf("%v of somebody who is not online", e)
			}
			delete(f.people, e.User.ID)
		case "session_ended":
			continue
		case "gate":
			if presence.GateLevel(e.Level) == f.level && presence.Counts(e.Counts).Hidden() == f.counts.Hidden() {
				t.Fatalf("%v, which it said before", e)
			}
			f.level, f.counts = presence.GateLevel(e.Level), presence.Counts(e.Counts)
			continue
		default:
			t.Fatalf("a %s", e.Type)
		}
		f.counts = presence.Counts(e.Counts)
		f.told++
	}
}

// still is a list without what changes by mere presence.
func still(people map[string]api.Person) map[string]string {
	list := map[string]string{}
	for id, user := range people {
		user.LastActivityAt, user.SessionDurationMinutes = api.Time{}, 0
		slices.SortFunc(user.Sessions, func(a, b api.OnlineSession) int { return strings.Compare(a.ID, b.ID) })
		for i := range user.Sessions {
			user.Sessions[i].LastActivityAt, user.Sessions[i].ExpiresAt = api.Time{}, api.Time{}
		}
		text, _ := json.Marshal(user)
		list[id] = string(text)
	}
	return list
}

// office is a handful of people who do whatever people do, in any order.
type office struct {
	*served
	rng    *rand.Rand
	tokens []string
}

func (o *office) someone() string { return fmt.Sprint("p", o.rng.IntN(4)) }

func (o *office) step(t *testing.T) string {
	now, token := o.now(), ""
	if len(o.tokens) > 0 {
		token = o.tokens[o.rng.IntN(len(o.tokens))]
	}
	var err error
	name := ""
	switch o.rng.IntN(14) {
	case 0, 1:
		name = "login"
		var result store.LoginResult
		id, by := o.someone(), shopBackend
		by.App = []string{"shop", "blog"}[o.rng.IntN(2)]
		result, err = o.store.Login(t.Context(), now, by, store.Login{User: store.UserInput{ID: id, Name: text(id)}})
		o.tokens = append(o.tokens, result.Token)
	case 2, 3, 4:
		name = "heartbeat"
		_, err = o.store.Touch(t.Context(), now, token, store.Beat{Page: text(fmt.Sprint("/", o.rng.IntN(3))), Idle: time.Duration(o.rng.IntN(3)) * 4 * time.Minute})
	case 5:
		name = "goodbye"
		_, err = o.store.Touch(t.Context(), now, token, store.Beat{Leaving: true})
	case 6:
		name = "logout"
		_, err = o.store.EndByToken(t.Context(), now, []string{"shop", "blog"}[o.rng.IntN(2)], token, presence.EndLogout)
	case 7:
		name = "rename"
		_, err = o.store.PutUser(t.Context(), now, shopBackend, store.UserInput{ID: o.someone(), Name: text(fmt.Sprint("name ", o.rng.IntN(3)))})
	case 8:
		if name = "delete"; o.rng.IntN(4) == 0 {
			_, err = o.store.DeleteUser(t.Context(), now, shopBackend, o.someone())
		}
	case 9:
		name = "cleanup"
		_, err = o.store.Cleanup(t.Context(), now)
	case 10:
		name = "minutes"
		time.Sleep(time.Duration(o.rng.IntN(300)) * time.Second)
	case 11:
		name = "seconds"
		time.Sleep(time.Duration(o.rng.IntN(20)) * time.Second)
	case 12:
		name = "claim"
		claim := presence.Claim{App: []string{"", "shop"}[o.rng.IntN(2)], Status: []presence.Status{presence.StatusBusy, presence.StatusAway}[o.rng.IntN(2)]}
		if o.rng.IntN(2) == 0 {
			claim.Until = new(now.Add(time.Duration(1+o.rng.IntN(200)) * time.Second))
		}
		err = o.store.SetStatus(t.Context(), now, o.someone(), claim)
	case 13:
		name = "unclaim"
		err = o.store.ClearStatus(t.Context(), o.someone(), "")
	}
	_ = err // what is refused changes nothing, which is seen below
	return name
}

// TestTheFeedReplayedIsTheList holds what a reader pieces together from the feed
// against the list, after every few steps of people who do anything.
func TestTheFeedReplayedIsTheList(t *testing.T) {
	for seed := range *replays {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				rules := presence.DefaultRules()
				rules.SessionTTL = 20 * time.Minute
				s := servingBy(t, rules)
				everybodyIsHeard()
				r, _ := s.follow(t, "", bearing(s.key(t, "panel", "read")))
				f := &follower{reader: r, people: map[string]api.Person{}, level: presence.GateClear}
				o := &office{served: s, rng: rand.New(rand.NewPCG(seed, 0))}
				var history []string
				f.catchUp(t)
				for range 60 {
					for range o.rng.IntN(4) {
						history = append(history, o.step(t))
					}
					f.catchUp(t)
					now := s.now().Truncate(time.Second) // as of the last look
					page, err := s.store.Online(t.Context(), now, store.OnlineFilter{Limit: 100})
					s.must(t, err)
					list := map[string]api.Person{}
					for _, p := range page.People {
						list[p.ID] = api.PersonOf(p, now)
					}
					if want := page.Counts.Level(0); f.level != want {
						t.Fatalf("after %v the gate is told to be at %s, it is at %s", history, f.level, want)
					}
					if diff := cmp.Diff(still(list), still(f.people)); diff != "" {
						t.Fatalf("after %v the feed (+) differs from the list (-):\n%s", history, diff)
					}
					if got := f.counts; got.Available+got.Busy+got.Away != len(list) || got != page.Counts {
						t.Fatalf("the feed counts %+v, the list %+v", got, page.Counts)
					}
				}
				if f.told < 5 {
					t.Errorf("only %d events: nothing was tried", f.told)
				}
				s.stop()
				s.must(t, <-s.ended)
			})
		})
	}
}
