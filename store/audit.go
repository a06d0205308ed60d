package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"rollcall/store/auditchain"
	"rollcall/store/sqldb"
)

// AuditEvent is something that somebody did and that others may want to know of.
type AuditEvent struct {
	Actor  string // user:ID, key:ID:APP, or one of those below
	Action string // what was done to what, such as session.revoke
	Target string // user:ID, session:ID, key:ID, ...; "" where the action says it
	Detail string // what the program says of it: never searched for persons
	Words  string // what somebody typed: it may name anybody
}

// Text is all that is said of the event.
func (e AuditEvent) Text() string { return joined(e.Detail, e.Words) }

// joined puts together those parts that there are.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "; ")
}

// Actors without an id.
const (
	ActorCLI     = "cli"     // the command line on the data folder
	ActorSystem  = "system"  // the program by itself
	ActorUnknown = "unknown" // somebody who could not say who they are
	ActorErased  = "erased"  // somebody who has been erased; in the audit log with a colon and their pseudonym
)

// UserActor is a user, by key, as actor or target.
func UserActor(key string) string { return userPrefix + key }

const userPrefix = "user:"

// viewEvery is how often the same actor's looking at the same person is worth a
// row: a panel that asks every few seconds must not fill the log.
const viewEvery = time.Hour

// Record adds to the audit log what changes nothing in the database.
func (s *Store) Record(ctx context.Context, now time.Time, d AuditEvent) error {
	return s.write(ctx, func(t *tx) error { return t.record(now, d) })
}

// record adds an event to the audit log, in the transaction that causes it.
func (t *tx) record(now time.Time, d AuditEvent) error {
	var last int64
	var before []byte
	err := t.Scan([]any{&last, &before}, `
		SELECT n.value, a.chain_sha256 FROM settings n LEFT JOIN audit a ON a.id = n.value WHERE n.name = 'audit_last'`)
	if errors.Is(err, sql.ErrNoRows) { // of an earlier version
		err = t.Scan([]any{&last, &before}, `SELECT id, chain_sha256 FROM audit ORDER BY id DESC LIMIT 1`)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return sqldb.Wrap("reading the end of the audit log", err)
	}
	e := auditchain.Entry{ID: last + 1, At: now.UnixMilli(), Action: d.Action, Actor: sqldb.StorableText(cmp.Or(d.Actor, ActorSystem)),
		Target: sqldb.StorableText(d.Target), Detail: sqldb.StorableText(d.Detail), Words: sqldb.StorableText(d.Words)}
	l := auditchain.Seal(before, e)
	_, err = t.Exec(`
		INSERT INTO audit (id, at, actor, action, target, detail, words, salt, content_sha256, chain_sha256)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, e.ID, e.At, e.Actor, e.Action, e.Target, e.Detail, e.Words, l.Salt, l.Content, l.Chain)
	if err == nil {
		err = t.SaveSetting("audit_last", e.ID)
	}
	return sqldb.Wrap("writing the audit log", err)
}

// RecordView notes that actor looked at a user: once an hour, and only of a user
// who exists, so that nobody fills the log by looking.
func (s *Store) RecordView(ctx context.Context, now time.Time, actor, user string) error {
	var known bool
	err := s.db.Scan(ctx, []any{&known}, `SELECT EXISTS (SELECT 1 FROM users WHERE id = $1)`, user)
	if err != nil || !known {
		return sqldb.Wrap("finding a user", err)
	}
	return s.RecordOncePerHour(ctx, now, AuditEvent{Actor: actor, Action: "user.view", Target: UserActor(user)})
}

// recentEvent is whether the same event by the same actor on the same target was recorded
// after $4 and, by a clock that has not been set back since, until $5.
const recentEvent = `SELECT EXISTS (SELECT 1 FROM audit WHERE target = $1 AND actor = $2 AND action = $3 AND at > $4 AND at <= $5)`

// RecordOncePerHour records an event unless the same was recorded within the hour.
// Nearly always it was, and then nothing is written.
func (s *Store) RecordOncePerHour(ctx context.Context, now time.Time, d AuditEvent) error {
	about := []any{d.Target, d.Actor, d.Action, now.Add(-viewEvery).UnixMilli(), now.UnixMilli()}
	var recent bool
	err := s.db.Scan(ctx, []any{&recent}, recentEvent, about...)
	if err != nil || recent {
		return sqldb.Wrap("looking into the audit log", err)
	}
	return s.write(ctx, func(t *tx) error {
		if err := t.Scan([]any{&recent}, recentEvent, about...); err != nil || recent { // by another caller just now
			return sqldb.Wrap("looking into the audit log", err)
		}
		return t.record(now, d)
	})
}

// AuditEntry is an event as the audit log has it.
type AuditEntry struct {
	ID int64
	At time.Time
	AuditEvent
	ActorName, TargetName string // of users who are known, and for a key its application
}

// AuditFilter chooses entries of the audit log. Empty fields choose all.
type AuditFilter struct {
	Actor, Target string
	Action        string // or what it is about: session stands for session.revoke and the others
	From, To      *time.Time
	Search        string // part of an actor's or target's id or name, or of the detail
	Limit         int    // entries on a page, at least 1
	Cursor        string // AuditPage.Next of the page before
}

// AuditPage is one page of the audit log.
type AuditPage struct {
	Entries []AuditEntry
	Next    string // cursor of the next page, "" on the last
}

const sortAudit Sort = "audit"

// Audit lists the audit log, newest first. It returns ErrInvalid for a filter
// that contradicts itself or a cursor that is not from here.
func (s *Store) Audit(ctx context.Context, f AuditFilter) (AuditPage, error) {
	after, err := f.check()
	if err != nil {
		return AuditPage{}, err
	}
	page := AuditPage{Entries: []AuditEntry{}}
	q := f.query(after)
	err = s.db.HeavySnapshot(ctx, func(look *sql.Tx) error { // a filter may have to look at all of it
		return q.Each(ctx, look, func(rows *sql.Rows) error {
			if len(page.Entries) == f.Limit {
				page.Next = cursor{Sort: sortAudit, Key: page.Entries[f.Limit-1].ID, Tie: int64(0)}.String()
				return nil
			}
			entry, err := scanAuditEntry(rows)
			page.Entries = append(page.Entries, entry)
			return err
		})
	})
	if err != nil {
		return AuditPage{}, sqldb.Wrap("reading the audit log", err)
	}
	return page, nil
}

// check returns the place after which the page begins, nil for the first.
func (f AuditFilter) check() (*cursor, error) {
	switch {
	case strings.Contains(f.Search, "\x00"): // where SQL's LIKE would end
		return nil, sqldb.Invalid("q must not have a NUL")
	case f.From != nil && f.To != nil && f.To.Before(*f.From):
		return nil, sqldb.Invalid("from must not be after to")
	}
	after, err := parseCursor(f.Cursor, sortAudit)
	if after != nil {
		if _, ok := after.Key.(int64); !ok {
			return nil, sqldb.Invalid("cursor is not one of this list")
		}
	}
	return after, err
}

func (f AuditFilter) query(after *cursor) *sqldb.Query {
	q := sqldb.NewQuery(`
		SELECT a.id, a.at, a.actor, a.action, a.target, a.detail, a.words, COALESCE(by_user.name, ''), COALESCE(to_user.name, to_key.app, '')
		FROM audit a
		LEFT JOIN users by_user ON a.actor LIKE 'user:%' AND by_user.id = substr(a.actor, 6)
		LEFT JOIN users to_user ON a.target LIKE 'user:%' AND to_user.id = substr(a.target, 6)
		LEFT JOIN api_keys to_key ON a.target = 'key:' || CAST(to_key.id AS TEXT)
		WHERE true`)
	for _, term := range []struct{ column, value string }{{"a.actor", f.Actor}, {"a.target", f.Target}} {
		if term.value != "" {
			q.And(term.column+` = ?`, term.value)
		}
	}
	if f.Action != "" {
		q.And(`(a.action = ? OR substr(a.action, 1, ?) = ?)`, f.Action, len([]rune(f.Action))+1, f.Action+".")
	}
	if f.From != nil {
		q.And(`a.at >= ?`, f.From.UnixMilli())
	}
	if f.To != nil {
		q.And(`a.at <= ?`, f.To.UnixMilli())
	}
	if search := strings.TrimSpace(f.Search); search != "" {
		q.MatchesEither(`(a.actor || ' ' || a.target || ' ' || a.detail || ' ' || a.words)`,
			`(COALESCE(by_user.folded, '') || ' ' || COALESCE(to_user.folded, ''))`, search)
	}
	if after != nil {
		q.And(`a.id < ?`, after.Key)
	}
	return q.Add(` ORDER BY a.id DESC LIMIT ?`, f.Limit+1)
}

func scanAuditEntry(rows *sql.Rows) (e AuditEntry, err error) {
	var at int64
	err = rows.Scan(&e.ID, &at, &e.Actor, &e.Action, &e.Target, &e.Detail, &e.Words, &e.ActorName, &e.TargetName)
	e.At = sqldb.Time(at)
	return e, err
}
