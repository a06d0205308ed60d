package store

// OnlineCounts are how many people match a filter.
type OnlineCounts struct {
	Available, Busy, Away int
}

// People is how many there are of any status.
func (c OnlineCounts) People() int { return c.Available + c.Busy + c.Away }

// of returns the counts of one status only; of all for "".
func (c OnlineCounts) of(status Status) OnlineCounts {
	switch status {
	case StatusAvailable:
		return OnlineCounts{Available: c.Available}
	case StatusBusy:
		return OnlineCounts{Busy: c.Busy}
	case StatusAway:
		return OnlineCounts{Away: c.Away}
	}
	return c
}

// GateLevel is the answer to "may I deploy?".
type GateLevel string

// The levels.
const (
	GateClear   GateLevel = "clear"   // nobody is online
	GateCaution GateLevel = "caution" // people are online, but idle, or no more are active than may be
	GateHold    GateLevel = "hold"    // somebody is busy, or more are active than may be
)

// Level is the rule: whoever is busy must not be interrupted, whoever is active
// would notice, whoever is idle might.
func (c OnlineCounts) Level(allowed int) GateLevel {
	switch {
	case c.Busy > 0 || c.Available > allowed:
		return GateHold
	case c.People() > 0:
		return GateCaution
	}
	return GateClear
}
