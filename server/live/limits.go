package live

import (
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits are how many sockets may be open at once.
type Limits struct {
	All               int // of everybody
	PerNetwork        int // of one network: of the largest that one customer usually holds
	PerPerson         int // of all sessions of a user, for each of the two kinds
	PerKey            int // of one key
	Pending           int // that have not said yet who they are
	PendingPerNetwork int // of these, of the smallest network; each one around it may have twice as many
}

// The bounds where there are open files enough.
const (
	maxSockets        = 40_000
	perPerson         = 20 // tabs with a panel, or browsers with a page that listens
	perKey            = 200
	maxPending        = 1000
	pendingPerNetwork = 50
)

// DefaultLimits leave a third of the files that the process may open to the database and to requests, and half of
// the sockets to other networks than any one.
func DefaultLimits() Limits {
	all := maxSockets
	if files := maxOpenFiles(); files > 0 {
		all = int(min(int64(all), files*2/3))
	}
	return Limits{All: all, PerNetwork: all / 2, PerPerson: perPerson, PerKey: perKey,
		Pending: min(maxPending, all/4), PendingPerNetwork: min(pendingPerNetwork, all/8)}
}

// places count what is taken of bounds, by name.
type places struct {
	mu    sync.Mutex
	taken map[string]int
}

// bound is how many may have a place of a name.
type bound struct {
	name string
	most int
}

// take takes one place of each bound, which release gives back, or none where one is full.
func (p *places) take(bounds ...bound) (release func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range bounds {
		if p.taken[b.name] >= b.most {
			return nil, false
		}
	}
	for _, b := range bounds {
		p.taken[b.name]++
	}
	return func() { p.release(bounds) }, true
}

func (p *places) release(bounds []bound) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range bounds {
		if p.taken[b.name]--; p.taken[b.name] == 0 {
			delete(p.taken, b.name)
		}
	}
}

// ofSocket are the bounds of a socket that comes from these networks, the smallest first.
func (l Limits) ofSocket(networks []string) []bound {
	return []bound{{"all", l.All}, {"network " + networks[len(networks)-1], l.PerNetwork}}
}

// ofPending are those of one that has not said yet who it is.
func (l Limits) ofPending(networks []string) []bound {
	bounds := []bound{{"pending", l.Pending}}
	for i, network := range networks {
		bounds = append(bounds, bound{"pending of " + network, l.PendingPerNetwork << i})
	}
	return bounds
}

// of are those of whoever is at a socket, in one of the two kinds.
func (l Limits) of(who Follower, kind string) bound {
	if who.Key != nil {
		return bound{kind + " key " + strconv.FormatInt(who.Key.ID, 10), l.PerKey}
	}
	return bound{kind + " person " + who.Person.User.Key(), l.PerPerson}
}

// newPingLimit is how many pings of a client are answered: programs send one in some seconds.
func newPingLimit() *rate.Limiter { return rate.NewLimiter(rate.Every(time.Second), 20) }
