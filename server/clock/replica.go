package clock

import (
	"context"
	"errors"
	"time"

	"rollcall/store/sqldb"
)

// tolerance is how far a replica may be from the clock of the database's server.
// Two of them then differ by no more than they need to hear of each other.
const tolerance = time.Second

// Sync has a replica go by the clock of the database's server. Else replicas would
// disagree about who is online, and the clean-up of one whose clock is a day ahead would
// log everybody out.
func (c *Clock) Sync(ctx context.Context) error {
	if err := c.follow(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.judge(c.now())
	return nil
}

func (c *Clock) follow(ctx context.Context) error {
	c.syncing.Lock() // in turn: what was measured earlier must not replace what was measured later
	defer c.syncing.Unlock()
	ahead, err := c.AheadOfDatabase(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps.follow(ahead)
	return nil
}

// Difference is how far this machine's clock is ahead of another, as measured.
type Difference struct {
	By     time.Duration // negative: behind
	Within time.Duration // more or less
}

// Matters tells whether it is surely more than replicas may differ by.
func (d Difference) Matters() bool { return d.By.Abs() > tolerance+d.Within }

// AheadOfDatabase compares this machine's clock with that of the database's server, which
// is the same where the database is a file. It goes by what the clock shows only, so that
// one that is set meanwhile makes the answer vague instead of wrong.
func (c *Clock) AheadOfDatabase(ctx context.Context) (d Difference, err error) {
	began := c.cfg.Wall().Round(0)
	there, err := c.cfg.Store.DB().ServerTime(ctx)
	if errors.Is(err, sqldb.ErrNotFound) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	half := c.cfg.Wall().Round(0).Sub(began) / 2
	return Difference{By: began.Add(half).Sub(there), Within: half.Abs()}, nil
}
