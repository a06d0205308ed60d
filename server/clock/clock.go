// Package clock is the time by which the server judges who is online, and how leniently
// it does. A clock that was set, a database's clock that differs from the machine's, and
// a time in which no heartbeat could be recorded make everybody look as if they had left.
// Then nobody is turned offline until everybody who is there had the time to be heard of.
// It does not know who is there: the store does, by the slack that it is given here.
package clock

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"rollcall/store"
	"rollcall/store/presence"
)

// Config is what a clock needs to know.
type Config struct {
	Store     *store.Store
	Wall      func() time.Time     // of this machine
	Uptime    func() time.Duration // monotonic: a step of Wall against it is noticed. Nil: Wall's own reading
	Heartbeat time.Duration        // how often a browser sends one
	Log       zerolog.Logger
	Moved     func() // is called when deadlines have moved, and may not call back
}

// Clock owns all that makes the rules lenient.
type Clock struct {
	cfg     Config
	syncing sync.Mutex // held while the database is asked for its time

	mu         sync.Mutex
	steps      *steps
	gap        gap
	started    bool
	restored   bool          // gap has the time before the start
	begun      time.Duration // uptime of the start
	heardFrom  time.Duration // uptime from which on everybody can be heard of, once it is restored
	looked     time.Duration // uptime of the last Recheck; 0: there was none
	cleaned    time.Duration // uptime of the last cleanup
	cleanupDue bool
	proven     instant // that the clock had surely come to
	told       state   // as the log has it
}

// state is why, and how, people are not judged as usual. The log has a line for each.
type state struct {
	late, early time.Duration
	silentSince time.Time
	ahead       time.Duration // of the clock that counts, if that is not this machine's
}

// New returns a clock that shows the machine's time until it is started.
func New(cfg Config) *Clock {
	return &Clock{cfg: cfg, steps: newSteps(cfg.Wall, cfg.Uptime, 2*cfg.Store.Rules().OnlineWindow)}
}

// Start finds out what the database knows: the time, and for how long nobody had been
// heard of. What fails is done again by Sync and Recheck. Until then nobody times out.
func (c *Clock) Start(ctx context.Context) error {
	err := c.follow(ctx)
	c.mu.Lock()
	c.steps.begin()
	c.gap.since = longAgo
	c.started, c.cleanupDue = true, true
	c.begun = c.steps.uptime()
	c.proven = newInstant(longAgo, c.steps.uptime())
	c.judge(c.now())
	c.mu.Unlock()
	return errors.Join(err, c.restore(ctx))
}

// Now is the time. From the first call after a step of the clock the rules are lenient.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	now, step, changed := c.steps.now()
	if changed {
		c.gap.shift(step)
		c.judge(now)
		c.cleanupDue = c.cleanupDue || !c.steps.recent
		c.cfg.Moved()
	}
	c.noticeGap(now)
	return now
}

// judge has the store judge by all that is known now.
func (c *Clock) judge(now time.Time) {
	silent := c.gap.length(now, c.cfg.Heartbeat)
	c.cfg.Store.SetSlack(presence.Slack{Late: c.steps.late, Early: c.steps.early, Silent: silent, Ahead: c.maybeAhead(now),
		Unheard: c.unheard(now, silent), Unproven: c.started && c.steps.steadyFor() < proof})
	is := state{late: c.steps.late, early: c.steps.early, ahead: c.steps.ahead}
	if c.restored && silent > c.cfg.Heartbeat { // nobody times out by less
		is.silentSince = c.gap.since
	}
	c.report(is)
}

// report writes one line into the log when people are judged otherwise than before.
func (c *Clock) report(is state) {
	if is == c.told {
		return
	}
	c.told = is
	level, silent := zerolog.InfoLevel, !is.silentSince.IsZero()
	if is.late != 0 || is.early != 0 || is.ahead != 0 {
		level = zerolog.WarnLevel
	}
	line := c.cfg.Log.WithLevel(level).Dur("late", is.late).Dur("early", is.early).Dur("ahead_of_database", -is.ahead)
	if silent {
		line = line.Time("silent_since", is.silentSince)
	}
	switch {
	case silent || is.late != 0 || is.early != 0:
		line.Msg("nobody is turned offline until everybody had the time to be heard of")
	case is.ahead != 0:
		line.Msg("deadlines hold, by PostgreSQL's clock instead of this machine's; see rollcall doctor")
	default:
		line.Msg("deadlines hold, by this machine's clock")
	}
}

// Skewed tells whether the clock was set a short while ago, so that nothing is cleaned up.
func (c *Clock) Skewed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.steps.recent
}

// proof is how long a clock has to go without a step before rows are removed by it. A machine
// without a clock of its own starts by a wrong one, and asks for the time later.
const proof = time.Hour

// cleanupEvery is how often a cleanup is due.
const cleanupEvery = time.Hour

// Settled tells whether the clock has gone without a step, since the start too, for long enough
// that what is past by it may end.
func (c *Clock) Settled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now()
	return !c.steps.recent && (!c.started || c.steps.steadyFor() >= c.steps.period)
}

// TakeCleanup tells, once, that a cleanup is due: every hour, and once a clock that was set is
// trusted again, before it gets to times that it showed already.
func (c *Clock) TakeCleanup() bool {
	if !c.Settled() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	up := c.steps.uptime()
	if !c.cleanupDue && up-c.cleaned < cleanupEvery {
		return false
	}
	c.cleanupDue, c.cleaned = false, up
	return true
}
