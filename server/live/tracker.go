package live

import (
	"cmp"
	"hash/maphash"
	"slices"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
)

// tracker keeps what the readers of the list were told, and how far the log was read.
type tracker struct {
	online    map[string]published // by key: who was announced as online; nil while nobody follows
	limit     int                  // how many can be known
	overLimit bool                 // there are more than that
	waiting   map[string]bool      // of whom too much was told just now
	counts    presence.Counts
	level     presence.GateLevel // that was told, or that follows from what was
	hidden    presence.Counts    // of whom was told, or it is known, that they are counted and not online
	announced *Announced

	timeline     int64     // of the log that was read; see [sqldb.DB.Timeline]
	lastSeq      int64     // last change read; fromNow while there is no socket
	lastSweep    time.Time // until when departures by time are announced
	lastFollowed time.Time // when the last reader was seen
	lastReset    time.Time // last reset for a crowd
	lastJudged   time.Time // when a crowd was counted last

	sweepDue         bool // it is time to see to what happens by time alone
	announcementsDue bool // and to read what is announced
	seed             maphash.Seed
}

// published is what was last told of a person.
type published struct {
	print  uint64 // of all that is news when it changes; 0: they have not been looked at
	status presence.Status
	at     int64 // when, in milliseconds
}

func newTracker() tracker {
	return tracker{limit: maxTracked, lastSeq: fromNow, seed: maphash.MakeSeed()}
}

// tick makes due what is done every second.
func (t *tracker) tick() { t.sweepDue, t.announcementsDue = true, true }

// clear begins with nobody.
func (t *tracker) clear() {
	t.online, t.waiting, t.counts, t.overLimit = map[string]published{}, map[string]bool{}, presence.Counts{}, false
}

// tooMany forgets everybody where there are too many to tell them apart.
func (t *tracker) tooMany() bool {
	if len(t.online) > t.limit {
		t.giveUp()
	}
	return t.overLimit
}

// giveUp forgets everybody: there are too many to tell them apart.
func (t *tracker) giveUp() {
	t.clear()
	t.overLimit = true
}

// gate is what the gate says where nobody may be disturbed.
func (t *tracker) gate() presence.GateLevel { return t.counts.Level(0) }

// countOf is the count of people with a status, which is not offline.
func (t *tracker) countOf(status presence.Status) *int {
	switch status {
	case presence.StatusAvailable:
		return &t.counts.Available
	case presence.StatusBusy:
		return &t.counts.Busy
	}
	return &t.counts.Away
}

// look is what to remember of a person who is told of at an instant.
func (t *tracker) look(person store.OnlinePerson, at time.Time) published {
	return published{t.fingerprint(person), person.Status, at.UnixMilli()}
}

func (t *tracker) remember(key string, p published) {
	t.forget(key)
	t.online[key] = p
	*t.countOf(p.status)++
}

func (t *tracker) forget(key string) {
	if p, ok := t.online[key]; ok {
		*t.countOf(p.status)--
		delete(t.online, key)
	}
}

// fingerprint sums up what is news of a person when it changes. That somebody is still
// there would be no news.
func (t *tracker) fingerprint(person store.OnlinePerson) uint64 {
	var sum maphash.Hash
	sum.SetSeed(t.seed)
	person.User.Access = store.AccessNone // which nobody is shown
	maphash.WriteComparable(&sum, person.User)
	maphash.WriteComparable(&sum, [2]string{string(person.Status), person.StatusText})
	writeOptional(&sum, person.OrganizationID)
	writeOptional(&sum, person.StatusUntil)
	shown := person.Shown()
	shown.Session, shown.CreatedAt = store.Session{}, time.Time{} // another one that looks the same is no news
	writeSession(&sum, shown)
	maphash.WriteComparable(&sum, person.SessionCount)
	if person.SessionCount > len(person.Sessions) { // which of them are shown, every heartbeat changes
		for _, app := range person.Apps {
			maphash.WriteComparable(&sum, app)
		}
		return sum.Sum64()
	}
	byID := func(a, b store.OnlineSession) int { return cmp.Compare(a.ID, b.ID) }
	for _, session := range slices.SortedFunc(slices.Values(person.Sessions), byID) {
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
