package live

import (
	"cmp"
	"hash/maphash"
	"slices"
	"time"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/presence"
)

// published is what the readers of the list were told, and what was read of it from where.
type published struct {
	online    map[string]told // who was announced as online; nil while nobody follows
	limit     int             // how many can be known
	overLimit bool            // there are more than that
	waiting   map[string]bool // of whom too much was told just now
	counts    presence.Counts
	level     presence.GateLevel // that was told, or that follows from what was
	announced *Announced

	timeline     int64     // of the log that was read; see [store.Store.Timeline]
	lastSeq      int64     // last change read; fromNow while there is no socket
	lastSweep    time.Time // until when departures by time are announced
	lastFollowed time.Time // when the last reader was seen
	lastReset    time.Time // last reset for a crowd

	sweepDue         bool // it is time to see to what happens by time alone
	announcementsDue bool // and to read what is announced
	seed             maphash.Seed
}

// told is what was last told of a person.
type told struct {
	print  uint64 // of all that is news when it changes
	status presence.Status
	at     int64 // when, in milliseconds
}

func newPublished() published {
	return published{limit: maxTracked, lastSeq: fromNow, seed: maphash.MakeSeed()}
}

// tick makes due what is done every second.
func (p *published) tick() { p.sweepDue, p.announcementsDue = true, true }

// clear begins with nobody.
func (p *published) clear() {
	p.online, p.waiting, p.counts, p.overLimit = map[string]told{}, map[string]bool{}, presence.Counts{}, false
}

// gate is what the gate says where nobody may be disturbed.
func (p *published) gate() presence.GateLevel { return p.counts.Level(0) }

// counted is how many people are online after what was looked at so far.
func (p *published) counted() *api.Counts { return new(api.Counts(p.counts)) }

// countOf is the count of people with a status, which is not offline.
func (p *published) countOf(status presence.Status) *int {
	switch status {
	case presence.StatusAvailable:
		return &p.counts.Available
	case presence.StatusBusy:
		return &p.counts.Busy
	}
	return &p.counts.Away
}

// remember notes what is told of a person at an instant.
func (p *published) remember(person store.OnlinePerson, at time.Time) {
	p.forget(person.ID)
	p.online[person.ID] = told{p.fingerprint(person), person.Status, at.UnixMilli()}
	*p.countOf(person.Status)++
}

func (p *published) forget(id string) {
	if t, ok := p.online[id]; ok {
		*p.countOf(t.status)--
		delete(p.online, id)
	}
}

// fingerprint sums up what is news of a person when it changes. That somebody is still
// there would be no news.
func (p *published) fingerprint(person store.OnlinePerson) uint64 {
	var sum maphash.Hash
	sum.SetSeed(p.seed)
	person.User.Access = store.AccessNone // which nobody is shown
	maphash.WriteComparable(&sum, person.User)
	maphash.WriteComparable(&sum, [2]string{string(person.Status), person.StatusText})
	writeOptional(&sum, person.OrganizationID)
	writeOptional(&sum, person.StatusUntil)
	shown := person.Shown()
	shown.Session, shown.CreatedAt = store.Session{}, time.Time{} // another one that looks the same is no news
	writeSession(&sum, shown)
	for _, session := range slices.SortedFunc(slices.Values(person.Sessions), func(a, b store.OnlineSession) int { return cmp.Compare(a.ID, b.ID) }) {
		writeSession(&sum, session)
	}
	return sum.Sum64()
}

func writeOptional[T comparable](sum *maphash.Hash, value *T) {
	maphash.WriteComparable(sum, value != nil)
	if value != nil {
		maphash.WriteComparable(sum, *value)
	}
}

// writeSession adds a session without the times that every heartbeat moves.
func writeSession(sum *maphash.Hash, s store.OnlineSession) {
	s.ExpiresAt, s.LastActivity, s.LastInput = time.Time{}, time.Time{}, time.Time{}
	maphash.WriteComparable(sum, s)
}
