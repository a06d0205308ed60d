package store

import (
	"context"
	"time"
)

// Cleaned is what a cleanup did.
type Cleaned struct {
	Ended  int64 // sessions past their time
	Purged int64 // rows past retention
}

// cleanupBatch bounds what one write of the cleanup touches, so that heartbeats
// never wait long behind it.
const cleanupBatch = 2000

// Cleanup ends the sessions that have expired and removes those that ended
// longer than retention ago. It may run at any time, any number of times, in
// any number of processes.
func (s *Store) Cleanup(ctx context.Context, now time.Time) (Cleaned, error) {
	var c Cleaned
	var err error
	c.Ended, err = s.inBatches(ctx, `
		UPDATE user_sessions SET is_active = false, ended_at = expires_at, end_reason = 'expired'
		WHERE id IN (SELECT id FROM user_sessions WHERE is_active = true AND expires_at <= $1 LIMIT $2)`, now)
	if err != nil {
		return c, fail("ending expired sessions", err)
	}
	c.Purged, err = s.inBatches(ctx, `
		DELETE FROM user_sessions
		WHERE id IN (SELECT id FROM user_sessions WHERE is_active = false AND ended_at <= $1 LIMIT $2)`, now.Add(-s.rules.Retention))
	if err != nil {
		return c, fail("purging ended sessions", err)
	}
	return c, s.noteCleanup(ctx, now, c)
}

// inBatches repeats a statement until it finds nothing more before the instant.
func (s *Store) inBatches(ctx context.Context, statement string, before time.Time) (total int64, err error) {
	for {
		var n int64
		err := s.writeOne(ctx, func(t *tx) (err error) {
			n, err = t.exec(statement, millis(before), cleanupBatch)
			return fail("cleaning up", err)
		})
		total += n
		if err != nil || n < cleanupBatch {
			return total, err
		}
	}
}

// noteCleanup keeps when it ran, for the statistics.
func (s *Store) noteCleanup(ctx context.Context, now time.Time, c Cleaned) error {
	defer s.totals.forget() // whoever cleans up looks at the figures next
	return s.write(ctx, func(t *tx) error {
		for name, value := range map[string]int64{
			"last_cleanup_at": millis(now), "last_cleanup_ended": c.Ended, "last_cleanup_purged": c.Purged,
		} {
			if _, err := t.exec(saveSetting, name, value); err != nil {
				return fail("noting the cleanup", err)
			}
		}
		return nil
	})
}
