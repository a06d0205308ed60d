package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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
// is new.
func (s *Store) Erase(ctx context.Context, now time.Time, actor, id string) (Erased, error) {
	var e Erased
	err := s.write(ctx, func(t *tx) (err error) {
		e, err = t.erase(now, actor, id)
		return err
	})
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

func (t *tx) erase(now time.Time, actor, id string) (e Erased, err error) {
	words := []string{id}
	user, err := t.user(id)
	switch {
	case err == nil:
		words = append(words, user.Name, user.Email)
	case !errors.Is(err, sqldb.ErrNotFound): // deleted before, perhaps, which leaves mentions
		return e, err
	}
	if err := t.countHeld(id, &e); err != nil {
		return e, err
	}
	if e.Mentions, err = t.anonymize(id, words); err != nil {
		return e, err
	}
	n, err := t.Exec(`DELETE FROM users WHERE id = $1`, id)
	if err != nil {
		return e, sqldb.Wrap("erasing a user", err)
	}
	if user.Access == AccessAdmin && e.Account {
		if err := t.needAdmin(); err != nil {
			return e, err // which undoes all of it
		}
	}
	// The numbers of changes have no holes, so these rows stay, saying nothing.
	changes, err := t.Exec(`UPDATE changes SET user_id = NULL, session_id = NULL, app = NULL, reason = NULL WHERE user_id = $1`, id)
	if err != nil {
		return e, sqldb.Wrap("erasing what changed", err)
	}
	if n+e.Mentions+changes == 0 {
		return e, t.stillErasing()
	}
	if _, err := t.Exec(`INSERT INTO changes (user_id) VALUES (NULL)`); err != nil { // another, so that there is news
		return e, sqldb.Wrap("noting that somebody was erased", err)
	}
	return e, t.noteErasure(now, actor, id, e)
}

// countHeld counts what goes with the user's row.
func (t *tx) countHeld(id string, e *Erased) error {
	for query, n := range map[string]any{
		`SELECT COUNT(*) FROM user_sessions WHERE user_id = $1`:   &e.Sessions,
		`SELECT COUNT(*) FROM status_claims WHERE user_id = $1`:   &e.Claims,
		`SELECT COUNT(*) FROM notice_receipts WHERE user_id = $1`: &e.Receipts,
		`SELECT COUNT(*) FROM daily_visitors WHERE user_id = $1`:  &e.Visits,
		`SELECT COUNT(*) > 0 FROM accounts WHERE user_id = $1`:    &e.Account,
	} {
		if err := t.Scan([]any{n}, query, id); err != nil {
			return sqldb.Wrap("counting what is held", err)
		}
	}
	return nil
}

// anonymize takes a user out of the rows that name them and returns how many these
// were.
func (t *tx) anonymize(id string, words []string) (mentions int64, err error) {
	for _, statement := range []string{
		`UPDATE user_sessions SET ended_by = 'erased', end_note = '' WHERE is_active = false AND ended_by = $1 AND user_id <> $2`,
		`UPDATE notices SET created_by = 'erased' WHERE created_by = $1 AND $2 <> ''`,
		`UPDATE drain SET started_by = 'erased' WHERE started_by = $1 AND $2 <> ''`,
		`UPDATE audit SET target = 'erased', detail = ''
		WHERE target = $1 OR target IN (SELECT 'session:' || CAST(id AS TEXT) FROM user_sessions WHERE user_id = $2)`,
		`UPDATE audit SET actor = 'erased', detail = '' WHERE actor = $1 AND $2 <> ''`,
	} {
		n, err := t.Exec(statement, UserActor(id), id)
		if err != nil {
			return 0, sqldb.Wrap("taking a user out", err)
		}
		mentions += n
	}
	for _, free := range []struct{ table, column, where string }{
		{"user_sessions", "end_note", "is_active = false AND end_note <> ''"}, {"audit", "detail", "detail <> ''"},
	} {
		n, err := t.clearMentions(free.table, free.column, free.where, words)
		if mentions += n; err != nil {
			return 0, sqldb.Wrap("taking a user out of notes", err)
		}
	}
	return mentions, nil
}

// clearMentions empties the texts of a column in which one of words stands.
func (t *tx) clearMentions(table, column, where string, words []string) (n int64, err error) {
	for _, word := range words {
		if !isIdentifying(word) {
			continue
		}
		var found []int64
		q := sqldb.NewQuery(`SELECT id, `+column+` FROM `+table+` WHERE `+where).Matches(column, word)
		err := t.Each(func(rows *sql.Rows) error {
			var id int64
			var text string
			err := rows.Scan(&id, &text)
			if containsWord(text, word) {
				found = append(found, id)
			}
			return err
		}, q.String(), q.Args()...)
		if err != nil {
			return n, err
		}
		for _, id := range found {
			if _, err := t.Exec(`UPDATE `+table+` SET `+column+` = '' WHERE id = $1`, id); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// isIdentifying tells whether a word in a note would mean the person: a letter does
// not, nor does a small number, which counts something.
func isIdentifying(word string) bool {
	n := utf8.RuneCountInString(word)
	digits := strings.Trim(word, "0123456789") == ""
	return n >= 2 && (n >= 5 || !digits)
}

// containsWord tells whether word stands in text as a whole, in whatever case.
func containsWord(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
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
func (t *tx) noteErasure(now time.Time, actor, id string, e Erased) error {
	if actor == UserActor(id) {
		actor = ActorErased
	}
	if _, err := t.Exec(`
		INSERT INTO settings (name, value) VALUES ('erasures', 1)
		ON CONFLICT (name) DO UPDATE SET value = settings.value + 1`); err != nil {
		return sqldb.Wrap("noting an erasure", err)
	}
	return t.record(now, AuditEvent{actor, "user.erase", ActorErased, sessionCount(e.Sessions)})
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
