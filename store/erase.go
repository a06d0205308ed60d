package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rollcall/store/auditchain"
	"rollcall/store/sqldb"
)

// Erased is what was removed of a person.
type Erased struct {
	Sessions, Claims, Receipts, Visits int64
	Account                            bool
	Mentions                           int64 // rows about others, or events, that named the person: they stay, without the name
	Complete                           bool  // the files have been rewritten; else the next cleanup does it
}

// Erase removes all that is held on a user, on behalf of actor, and every trace
// of it from the database's files. Unlike DeleteUser it takes the user out of
// the rows about others and out of the audit log, and deletes an account, too.
// Heartbeats wait while the files are rewritten. ErrNotFound for somebody of
// whom nothing is held; ErrLastAdmin for the only admin. Whoever logs in again
// is new. Where it fails, some may be erased already; to repeat it is safe. In the audit log the person's
// deeds remain those of one, whom a pseudonym stands for. ErrForbidden for an administrator who would erase
// themselves, or by a key that they made: nobody is to cover their own traces.
func (s *Store) Erase(ctx context.Context, now time.Time, actor, id string) (Erased, error) {
	e, words, err := s.examine(ctx, id)
	if err == nil {
		err = s.mayErase(ctx, actor, id)
	}
	if err == nil {
		err = s.erase(ctx, now, erasure{actor: actor, id: id, pseudonym: auditchain.Pseudonym()}, words, &e)
	}
	if err != nil {
		return Erased{}, err
	}
	s.roster.forget()
	s.counts.Invalidate()
	s.totals.Invalidate()
	s.notices.Invalidate()
	err = s.FinishErasing(context.WithoutCancel(ctx)) // who gave up waiting wants it none the less
	e.Complete = err == nil
	if errors.Is(err, sqldb.ErrBusy) || errors.Is(err, sqldb.ErrFull) {
		err = nil // it will be
	}
	return e, err
}

// erasure is who is erased, on whose behalf, and who they are in the audit log from then on.
type erasure struct{ actor, id, pseudonym string }

// name is the person as actor or target, once erased.
func (e erasure) name() string { return ActorErased + ":" + e.pseudonym }

// mayErase refuses administrators who would erase themselves.
func (s *Store) mayErase(ctx context.Context, actor, id string) error {
	var own bool
	err := s.db.Scan(ctx, []any{&own}, `
		SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND access = 'admin') AND ($2 = $3 OR EXISTS (
			SELECT 1 FROM audit WHERE action = 'key.create' AND actor = $3 AND $2 LIKE target || ':%'))`, id, actor, UserActor(id))
	if err == nil && own {
		return ErrForbidden
	}
	return sqldb.Wrap("looking who erases", err)
}

// examine counts what is held on a user, and returns the words by which others may have named
// them. It refuses the only admin before anything is done.
func (s *Store) examine(ctx context.Context, id string) (e Erased, words []string, err error) {
	_, own := SplitUserKey(id)
	words = []string{own}
	err = s.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		var name, email string
		var last bool
		err := look.QueryRowContext(ctx, `
			SELECT u.name, u.email, u.access = 'admin' AND EXISTS (SELECT 1 FROM accounts WHERE user_id = u.id)
				AND NOT EXISTS (SELECT 1 FROM accounts a JOIN users other ON other.id = a.user_id
					WHERE other.access = 'admin' AND other.id <> u.id AND a.password_hash <> '')
			FROM users u WHERE u.id = $1`, id).Scan(&name, &email, &last)
		switch {
		case err == nil && last:
			return ErrLastAdmin
		case err == nil:
			words = append(words, name, email)
		case !errors.Is(err, sql.ErrNoRows): // deleted before, perhaps, which leaves mentions
			return err
		}
		return countHeld(ctx, look, id, &e)
	})
	return e, words, sqldb.Wrap("looking for what is held", err)
}

// erase removes in bounded writes what may be much, and then the user with the rest in one. All that the audit log has
// of them is in that one, with the entry that tells of it: where an erasure is cut off before, the log is as it was.
func (s *Store) erase(ctx context.Context, now time.Time, who erasure, words []string, e *Erased) (err error) {
	id := who.id
	if e.Mentions, err = s.anonymizeSessions(ctx, id, words); err != nil {
		return err
	}
	named, err := s.findMentions(ctx, id, words)
	if err != nil {
		return err
	}
	s.settle(ctx, now)
	if err := s.removeMuchOf(ctx, now, id, namedSession); err != nil { // by the others, entries are found
		return err
	}
	changes, err := s.db.InBatches(ctx, forgetChanges, id)
	if err != nil {
		return sqldb.Wrap("erasing what changed", err)
	}
	return s.write(ctx, func(t *tx) error {
		late, err := t.anonymize(who, named)
		if err != nil {
			return err
		}
		e.Mentions += late
		if err := s.keepUnidentified(t, now, id); err != nil {
			return err
		}
		return t.eraseUser(now, who, changes, *e)
	})
}

// namedSession is which sessions an entry of the audit log is about.
const namedSession = `EXISTS (SELECT 1 FROM audit WHERE target = 'session:' || CAST(user_sessions.id AS TEXT))`

const noChange = `user_id = NULL, session_id = NULL, app = NULL, reason = NULL`

// forgetChanges leaves the rows, saying nothing: the numbers of changes have no holes.
const forgetChanges = `
	UPDATE changes SET ` + noChange + `
	WHERE seq IN (SELECT seq FROM changes WHERE user_id = $1 LIMIT $2)`

func (t *tx) eraseUser(now time.Time, who erasure, changes int64, e Erased) error {
	id := who.id
	n, err := t.Exec(`DELETE FROM users WHERE id = $1`, id)
	if err != nil {
		return sqldb.Wrap("erasing a user", err)
	}
	if e.Account {
		if err := t.needAdmin(); err != nil {
			return err
		}
	}
	if err := t.voidLinksBy(UserActor(id)); err != nil {
		return err
	}
	more, err := t.Exec(`UPDATE changes SET `+noChange+` WHERE user_id = $1`, id)
	if err != nil {
		return sqldb.Wrap("erasing what changed", err)
	}
	if n+e.Mentions+changes+more == 0 {
		return t.stillErasing()
	}
	if _, err := t.Exec(`INSERT INTO changes (user_id) VALUES (NULL)`); err != nil { // another, so that there is news
		return sqldb.Wrap("noting that somebody was erased", err)
	}
	return t.noteErasure(now, who, e)
}

// countHeld counts what goes with the user's row.
func countHeld(ctx context.Context, look *sql.Tx, id string, e *Erased) error {
	for query, n := range map[string]any{
		`SELECT COUNT(*) FROM user_sessions WHERE user_id = $1`:   &e.Sessions,
		`SELECT COUNT(*) FROM status_claims WHERE user_id = $1`:   &e.Claims,
		`SELECT COUNT(*) FROM notice_receipts WHERE user_id = $1`: &e.Receipts,
		`SELECT COUNT(*) FROM daily_visitors WHERE user_id = $1`:  &e.Visits,
		`SELECT COUNT(*) > 0 FROM accounts WHERE user_id = $1`:    &e.Account,
	} {
		if err := look.QueryRowContext(ctx, query, id).Scan(n); err != nil {
			return err
		}
	}
	return nil
}

// removeMuchOf removes of a user who is about to be deleted what may be too much for one write, but for the sessions that
// a condition keeps: where it is not, all goes with the user in one.
func (s *Store) removeMuchOf(ctx context.Context, now time.Time, id, keep string) error {
	for _, table := range []struct{ name, key, keep string }{{"user_sessions", "id", keep}, {"daily_visitors", "day", "false"}, {"notice_receipts", "notice_id", "false"}} {
		var many bool
		err := s.db.Scan(ctx, []any{&many}, `SELECT COUNT(*) > `+muchOf+` FROM (SELECT 1 FROM `+table.name+` WHERE user_id = $1 LIMIT `+muchOf+` + 1) few`, id)
		if err == nil && many { // of whom nothing is left that says that they are there
			err = s.write(ctx, func(t *tx) error { return s.keepUnidentified(t, now, id) })
		}
		if err == nil && many {
			_, err = s.db.InBatches(ctx, `DELETE FROM `+table.name+` WHERE user_id = $1 AND `+table.key+` IN (
				SELECT `+table.key+` FROM `+table.name+` WHERE user_id = $1 AND NOT (`+table.keep+`) LIMIT $2)`, id)
		}
		if err != nil {
			return sqldb.Wrap("deleting what is held", err)
		}
	}
	return nil
}

const muchOf = `500` // rows

// noteErasure records that somebody was erased, without saying who, and that the
// files have to be rewritten.
func (t *tx) noteErasure(now time.Time, who erasure, e Erased) error {
	actor := who.actor
	if actor == UserActor(who.id) {
		actor = who.name()
	}
	var entries int64
	if err := t.Scan([]any{&entries}, `SELECT COUNT(*) FROM audit WHERE erased LIKE '%' || $1 || ',%'`, who.pseudonym); err != nil {
		return sqldb.Wrap("counting the entries of somebody erased", err)
	}
	if _, err := t.Exec(`
		INSERT INTO settings (name, value) VALUES ('erasures', 1)
		ON CONFLICT (name) DO UPDATE SET value = settings.value + 1`); err != nil {
		return sqldb.Wrap("noting an erasure", err)
	}
	return t.record(now, AuditEvent{Actor: actor, Action: auditErase, Target: who.name(), Detail: fmt.Sprintf("%s; %d entries", sessionCount(e.Sessions), entries)})
}

// stillErasing returns ErrNotFound unless an earlier erasure waits to be finished.
func (t *tx) stillErasing() error {
	var waiting bool
	err := t.Scan([]any{&waiting}, `SELECT EXISTS (SELECT 1 FROM settings WHERE name = 'erasures')`)
	if err == nil && !waiting {
		return sqldb.ErrNotFound
	}
	return sqldb.Wrap("looking for an erasure", err)
}

// FinishErasing rewrites the database's files where somebody was erased since
// they were last rewritten; else it does nothing. Where it fails, as sqldb.DB.Rewrite
// may, it has to be called again.
func (s *Store) FinishErasing(ctx context.Context) error {
	var erasures int64
	err := s.db.Scan(ctx, []any{&erasures}, `SELECT value FROM settings WHERE name = 'erasures'`)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil { // the log has ids and times of sessions that are no more
		err = s.beats.FoldAll(ctx)
	}
	if err == nil { // nobody else may have used what they did
		err = s.purgeAgents(ctx)
	}
	if err == nil {
		err = s.db.Rewrite(ctx)
	}
	if err != nil {
		return sqldb.Wrap("finishing an erasure", err)
	}
	return s.writeOne(ctx, func(t *tx) error {
		_, err := t.Exec(`DELETE FROM settings WHERE name = 'erasures' AND value = $1`, erasures) // unless somebody else was erased meanwhile
		return sqldb.Wrap("noting the end of an erasure", err)
	})
}
