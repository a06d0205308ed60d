package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Cleaned is what a cleanup did.
type Cleaned struct {
	Ended  int64 // sessions past their time
	Purged int64 // sessions, users and organizations past retention
}

// Cleanup ends the sessions that have expired and removes what is past its retention: ended
// sessions, history and notices, and claims that ran out. While the clock is skewed it does
// nothing, because what seems past may not be; nor while another replica does it. While the clock
// is unproven it removes nothing. It may run at any time, any number of times, in any number of
// processes.
func (s *Store) Cleanup(ctx context.Context, now time.Time) (Cleaned, error) {
	return s.CleanupBy(ctx, now, ActorSystem)
}

// CleanupBy is Cleanup because actor asked for it, which is recorded.
func (s *Store) CleanupBy(ctx context.Context, now time.Time, actor string) (c Cleaned, err error) {
	if s.slack.Load().ClockSkewed() {
		return c, nil
	}
	wait := actor != ActorSystem // for its turn, so that whoever asks is told the truth
	err = s.db.CleanUp(ctx, wait, func() error {
		c, err = s.clean(ctx, now, actor)
		return err
	})
	return c, sqldb.Wrap("cleaning up", err)
}

func (s *Store) clean(ctx context.Context, now time.Time, actor string) (c Cleaned, err error) {
	if err := s.beats.FoldAll(ctx); err != nil {
		return c, err
	}
	if err := s.correctFuture(ctx, s.at(now)); err != nil {
		return c, err
	}
	c.Ended, err = s.db.InBatches(ctx, endExpired+`
		id IN (SELECT id FROM user_sessions WHERE is_active = true AND `+presence.InExpiryBlock(`expires_at`)+` <= $1 AND expires_at <= $2 LIMIT $3)`,
		presence.ExpiryBlock(now.UnixMilli()), now.UnixMilli())
	if err != nil {
		return c, sqldb.Wrap("ending expired sessions", err)
	}
	tooOld, err := s.db.InBatches(ctx, `
		UPDATE user_sessions SET is_active = false, ended_at = $2, end_reason = 'expired'
		WHERE id IN (SELECT id FROM user_sessions WHERE is_active = true AND app = '`+presence.PanelApp+`' AND created_at <= $1 LIMIT $3)`,
		now.Add(-panelMaxAge).UnixMilli(), now.UnixMilli())
	if c.Ended += tooOld; err != nil {
		return c, sqldb.Wrap("ending old sessions of the panel", err)
	}
	if !s.slack.Load().Unproven {
		if c.Purged, err = s.purge(ctx, now, actor != ActorSystem); err != nil {
			return c, err
		}
	}
	return c, s.noteCleanup(ctx, now, actor, c)
}

// endExpired ends sessions that have expired: those that a condition names.
const endExpired = `UPDATE user_sessions SET is_active = false, ended_at = expires_at, end_reason = 'expired' WHERE `

// purge removes the rows that are past their retention, and returns how many of them were
// sessions, users or organizations. Of these it looks at all there are where whole; see [Store.purgePeople].
func (s *Store) purge(ctx context.Context, now time.Time, whole bool) (removed int64, err error) {
	removed, err = s.db.InBatches(ctx, `
		DELETE FROM user_sessions
		WHERE id IN (SELECT id FROM user_sessions WHERE is_active = false AND ended_at <= $1 LIMIT $2)`, now.Add(-s.rules.Retention).UnixMilli())
	if err != nil {
		return removed, sqldb.Wrap("purging ended sessions", err)
	}
	if err := s.removeExpired(ctx, s.at(now)); err != nil {
		return removed, err
	}
	if err := s.History.Purge(ctx, now); err != nil {
		return removed, err
	}
	people, err := s.purgePeople(ctx, now, whole) // after all that may keep them
	if removed += people; err != nil {
		return removed, err
	}
	return removed, s.purgeAudit(ctx, now)
}

// removeExpired removes what says nothing any more.
func (s *Store) removeExpired(ctx context.Context, m presence.Cutoffs) error {
	_, err := s.db.InBatches(ctx, `
		DELETE FROM status_claims
		WHERE (user_id, app) IN (SELECT user_id, app FROM status_claims WHERE until <= $1 LIMIT $2)`, m.Now)
	if err != nil {
		return sqldb.Wrap("removing claims that ran out", err)
	}
	_, err = s.db.InBatches(ctx, `DELETE FROM unidentified WHERE (id, client) IN (SELECT id, client FROM unidentified WHERE until <= $1 LIMIT $2)`, m.Expiry)
	if err != nil {
		return sqldb.Wrap("forgetting who was on no record", err)
	}
	_, err = s.db.InBatches(ctx, `
		UPDATE accounts SET `+noLink+`
		WHERE user_id IN (SELECT user_id FROM accounts WHERE link_expires_at <= $1 LIMIT $2)`, m.Now)
	if err != nil {
		return sqldb.Wrap("removing links that ran out", err)
	}
	return s.removeOldNotices(ctx, sqldb.Time(m.Now).Add(-s.rules.Retention))
}

// correctFuture corrects activity that was recorded before the clock was set back: nobody has
// been heard of since, and when the clock gets there again they would seem to be online; and forgets
// who was still there after the end of their session, and is not any more. It must not wait for the
// writer for long: activity of meanwhile would seem to be in the future. Where it would have to, the
// next cleanup does it.
func (s *Store) correctFuture(ctx context.Context, m presence.Cutoffs) error {
	short, cancel := context.WithTimeout(ctx, s.rules.OnlineWindow/2)
	defer cancel()
	_, err := s.db.InBatches(short, `
		UPDATE user_sessions SET last_activity_at = $1
		WHERE id IN (SELECT id FROM user_sessions WHERE is_active = true AND `+activityBlock+` >= $2 AND last_activity_at > $3 LIMIT $4)`,
		m.Window, presence.ActivityBlock(m.Future), m.Future)
	if err == nil {
		_, err = s.db.InBatches(short, `
			UPDATE user_sessions SET refused_at = NULL
			WHERE id IN (SELECT id FROM user_sessions WHERE refused_at <= $1 OR refused_at > $2 LIMIT $3)`, m.Window, m.Future)
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return sqldb.Wrap("correcting activity in the future", err)
}

// purgeAudit removes the entries past their retention. The log lets go only of
// what is older than the setting says, whoever asks.
func (s *Store) purgeAudit(ctx context.Context, now time.Time) error {
	from := now.Add(-s.rules.AuditRetention).UnixMilli()
	err := s.writeOne(ctx, func(t *tx) error {
		err := t.SaveSetting("audit_kept_from", from)
		return sqldb.Wrap("noting how far the audit log goes back", err)
	})
	if err != nil {
		return err
	}
	var last int64 // before the first that is to be kept: what is left is without holes
	err = s.db.Scan(ctx, []any{&last}, `
		SELECT COALESCE((SELECT MIN(id) - 1 FROM audit WHERE at >= $1), (SELECT MAX(id) FROM audit), 0)`, from)
	if err != nil || last == 0 {
		return sqldb.Wrap("looking into the audit log", err)
	}
	var old bool
	if err = s.db.Scan(ctx, []any{&old}, `SELECT EXISTS (SELECT 1 FROM audit WHERE id <= $1)`, last); err != nil || !old {
		return sqldb.Wrap("looking into the audit log", err)
	}
	err = s.write(ctx, func(t *tx) error {
		return t.record(now, AuditEvent{Action: auditPurge, Detail: fmt.Sprintf("up to entry %d", last)})
	})
	if err != nil {
		return err
	}
	_, err = s.db.InBatchesAside(ctx, `DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id <= $1 LIMIT $2)`, last)
	return sqldb.Wrap("purging the audit log", err)
}

// noteCleanup keeps when it ran, for the statistics.
func (s *Store) noteCleanup(ctx context.Context, now time.Time, actor string, c Cleaned) error {
	defer s.totals.Invalidate() // whoever cleans up looks at the figures next
	return s.write(ctx, func(t *tx) error {
		for name, value := range map[string]int64{
			"last_cleanup_at": now.UnixMilli(), "last_cleanup_ended": c.Ended, "last_cleanup_purged": c.Purged,
		} {
			if err := t.SaveSetting(name, value); err != nil {
				return sqldb.Wrap("noting the cleanup", err)
			}
		}
		if actor == ActorSystem { // every hour, by itself
			return nil
		}
		return t.record(now, AuditEvent{Actor: actor, Action: "session.cleanup", Detail: fmt.Sprintf("%d ended, %d purged", c.Ended, c.Purged)})
	})
}
