package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollcall/store/auditchain"
	"rollcall/store/fold"
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
	s.counts.Invalidate()
	s.totals.Invalidate()
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
				AND NOT EXISTS (SELECT 1 FROM accounts a JOIN users other ON other.id = a.user_id WHERE other.access = 'admin' AND other.id <> u.id)
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

// erase removes in bounded writes what may be much, and then the user with the rest in one.
func (s *Store) erase(ctx context.Context, now time.Time, who erasure, words []string, e *Erased) (err error) {
	id := who.id
	if e.Mentions, err = s.anonymize(ctx, who, words); err != nil {
		return err
	}
	s.settle(ctx, now)
	if err := s.removeMuchOf(ctx, now, id); err != nil {
		return err
	}
	changes, err := s.db.InBatches(ctx, forgetChanges, id)
	if err != nil {
		return sqldb.Wrap("erasing what changed", err)
	}
	return s.write(ctx, func(t *tx) error {
		late, err := t.anonymizeLate(who) // what was added meanwhile
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

// What somebody is forgotten by, wherever they are mentioned.
const (
	noChange = `user_id = NULL, session_id = NULL, app = NULL, reason = NULL`
	noWords  = `words = '', salt = NULL, erased = erased || $2 || ','`
	noTarget = `target = 'erased:' || $2, detail = '', ` + noWords
	noActor  = `actor = 'erased:' || $2, detail = '', ` + noWords
)

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

// mentions are rows that name a user, as a reader finds them, and what takes the user out of one.
type mentions struct {
	find   string // their ids; $1 is the user as an actor, $2 the user's id
	typed  string // or, with find, the column of what people typed, which names the user by a word
	forget string // $1 is the id, $2 the pseudonym in an audit log
	audit  bool   // they are of it
}

var everyMention = []mentions{
	{find: `SELECT id FROM user_sessions WHERE is_active = false AND ended_by = $1 AND user_id <> $2`,
		forget: `UPDATE user_sessions SET ended_by = 'erased', end_note = '' WHERE id = $1`},
	{find: `SELECT id FROM audit WHERE target = $1 OR target IN (SELECT 'session:' || CAST(id AS TEXT) FROM user_sessions WHERE user_id = $2)`,
		forget: `UPDATE audit SET ` + noTarget + ` WHERE id = $1`, audit: true},
	{find: `SELECT id FROM audit WHERE actor = $1 AND $2 <> ''`, forget: `UPDATE audit SET ` + noActor + ` WHERE id = $1`, audit: true},
	{find: `SELECT id, end_note FROM user_sessions WHERE is_active = false AND end_note <> '' AND $1 <> $2`, typed: "end_note",
		forget: `UPDATE user_sessions SET end_note = '' WHERE id = $1`},
	{find: `SELECT id, words FROM audit WHERE words <> '' AND $1 <> $2`, typed: "words", forget: `UPDATE audit SET ` + noWords + ` WHERE id = $1`, audit: true},
}

// anonymize takes a user out of the rows that name them, found by a reader and written in batches,
// and returns how many these were.
func (s *Store) anonymize(ctx context.Context, who erasure, words []string) (total int64, err error) {
	words = slices.DeleteFunc(slices.Clone(words), func(word string) bool { return !isIdentifying(word) })
	for _, kind := range everyMention {
		found, err := s.findMentions(ctx, kind, who.id, words)
		if err != nil {
			return total, sqldb.Wrap("looking for a user", err)
		}
		for some := range slices.Chunk(found, revokeBatch) {
			err := s.write(ctx, func(t *tx) error {
				for _, row := range some {
					args := []any{row}
					if kind.audit {
						args = append(args, who.pseudonym)
					}
					if _, err := t.Exec(kind.forget, args...); err != nil {
						return sqldb.Wrap("taking a user out", err)
					}
				}
				return nil
			})
			if err != nil {
				return total, err
			}
			total += int64(len(some))
		}
	}
	return total, nil
}

func (s *Store) findMentions(ctx context.Context, kind mentions, id string, words []string) (found []int64, err error) {
	err = s.db.HeavySnapshot(ctx, func(look *sql.Tx) error {
		return sqldb.Each(ctx, look, func(rows *sql.Rows) error {
			var row int64
			var text string
			into := []any{&row, &text}
			if kind.typed == "" {
				into = into[:1]
			}
			err := rows.Scan(into...)
			if kind.typed == "" || slices.ContainsFunc(words, func(word string) bool { return containsWord(text, word) }) {
				found = append(found, row)
			}
			return err
		}, kind.find, UserActor(id), id)
	})
	return found, err
}

// anonymizeLate takes a user out of the rows in which an index finds them, and of the few others.
func (t *tx) anonymizeLate(who erasure) (total int64, err error) {
	user := []any{UserActor(who.id)}
	named := append(user[:1:1], who.pseudonym)
	for _, late := range []struct {
		statement string
		args      []any
	}{
		{`UPDATE notices SET created_by = 'erased' WHERE created_by = $1`, user},
		{`UPDATE drain SET started_by = 'erased' WHERE started_by = $1`, user},
		{`UPDATE audit SET ` + noTarget + ` WHERE target = $1`, named},
		{`UPDATE audit SET ` + noActor + ` WHERE actor = $1`, named},
	} {
		n, err := t.Exec(late.statement, late.args...)
		if err != nil {
			return 0, sqldb.Wrap("taking a user out", err)
		}
		total += n
	}
	return total, nil
}

// removeMuchOf removes of a user who is about to be deleted what may be too much for one write:
// where it is not, all goes with the user in one.
func (s *Store) removeMuchOf(ctx context.Context, now time.Time, id string) error {
	for _, table := range []struct{ name, key string }{{"user_sessions", "id"}, {"daily_visitors", "day"}, {"notice_receipts", "notice_id"}} {
		var many bool
		err := s.db.Scan(ctx, []any{&many}, `SELECT COUNT(*) > `+muchOf+` FROM (SELECT 1 FROM `+table.name+` WHERE user_id = $1 LIMIT `+muchOf+` + 1) few`, id)
		if err == nil && many { // of whom nothing is left that says that they are there
			err = s.write(ctx, func(t *tx) error { return s.keepUnidentified(t, now, id) })
		}
		if err == nil && many {
			_, err = s.db.InBatches(ctx, `DELETE FROM `+table.name+` WHERE user_id = $1 AND `+table.key+` IN (
				SELECT `+table.key+` FROM `+table.name+` WHERE user_id = $1 LIMIT $2)`, id)
		}
		if err != nil {
			return sqldb.Wrap("deleting what is held", err)
		}
	}
	return nil
}

const muchOf = `500` // rows

// isIdentifying tells whether a word in a note would mean the person: a letter does
// not, nor does a small number, which counts something.
func isIdentifying(word string) bool {
	n := utf8.RuneCountInString(word)
	digits := strings.Trim(word, "0123456789") == ""
	return n >= 2 && (n >= 5 || !digits)
}

// containsWord tells whether word stands in text as a whole, in whatever case.
func containsWord(text, word string) bool {
	text, word = fold.Text(text), fold.Text(word)
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(text[:from+i])
		after, size := utf8.DecodeRuneInString(text[from+i+len(word):])
		if !partOfWord(before) && !partOfWord(after) {
			return true
		}
		from += i + max(size, 1)
	}
}

func partOfWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

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
