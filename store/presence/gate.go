package presence

// Counts are how many people match a filter.
type Counts struct {
	Available, Busy, Away int

	StillThere   int // who are not online: their session has ended, and its page is in use
	Unidentified int // who may be at work and are on no record: see Unidentified in package store
}

// Hidden are the counts of those who are not online.
func (c Counts) Hidden() Counts {
	return Counts{StillThere: c.StillThere, Unidentified: c.Unidentified}
}

// People is how many are online, of any status.
func (c Counts) People() int { return c.Available + c.Busy + c.Away }

// Of returns the counts of one status only; of all for "".
func (c Counts) Of(status Status) Counts {
	switch status {
	case StatusAvailable:
		return Counts{Available: c.Available}
	case StatusBusy:
		return Counts{Busy: c.Busy}
	case StatusAway:
		return Counts{Away: c.Away}
	}
	return c
}

// GateLevel is the answer to "may I deploy?".
type GateLevel string

// The levels.
const (
	GateClear   GateLevel = "clear"   // nobody is online
	GateCaution GateLevel = "caution" // people are online, but away, or no more are available than may be; or somebody hidden is counted
	GateHold    GateLevel = "hold"    // somebody is busy, or more are available than may be
)

// Level is the rule: whoever is busy must not be interrupted, whoever is available
// would notice, whoever is away might; so might whoever works in a page whose session has ended, and
// whoever is on no record.
func (c Counts) Level(allowed int) GateLevel {
	switch {
	case c.Busy > 0 || c.Available > allowed:
		return GateHold
	case c != Counts{}:
		return GateCaution
	}
	return GateClear
}
