package store

import (
	"context"
	"database/sql"
	"runtime"
	"sync"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// The queries whose plan a test looks at.
var (
	DueQuery     = dueQuery
	ChangesQuery = changesQuery
	BlocksQuery  = blocksQuery
)

// CountClaimsQuery is what countClaims asks.
func CountClaimsQuery(s *Store, now time.Time) (string, []any) {
	q := s.claimsQuery(s.at(now), OnlineFilter{})
	return q.String(), q.Args()
}

// BusyQuery is how the list of those who are busy is read.
func BusyQuery(s *Store, now time.Time) (string, []any) {
	f, o := OnlineFilter{Status: presence.StatusBusy, Limit: 50}, byActivity{}
	q := o.inOrder(s.activityQuery(s.at(now), f, o, true), f.Limit)
	return q.String(), q.Args()
}

// LargeQuery is how the usual list of a large database is read.
func LargeQuery(s *Store, now time.Time) (string, []any) {
	o := s.byActivity(true, &cursor{SortActivity, now.UnixMilli(), int64(0)})
	q := o.inOrder(s.activityQuery(s.at(now), OnlineFilter{}, o, true), 50)
	return q.String(), q.Args()
}

// WaitingQuery is how those of a list are read whose heartbeats wait.
func WaitingQuery(s *Store, now time.Time, f OnlineFilter) (string, []any) {
	q := whereSession(s.activityQuery(s.at(now), f, byActivity{}, false), []int64{1, 2, 3}, func(id int64) int64 { return id })
	return q.String(), q.Args()
}

// SessionsQuery is how the first page of a list of sessions is read.
func SessionsQuery(s *Store, now time.Time, f SessionFilter) (string, []any) {
	m := s.at(now)
	f = f.withDefaults()
	q := s.sessionsQuery(m, f, nil)
	if f.Sort == SortActivity {
		q = f.foundQuery(m)
		if f.isHeavy() {
			s.whereAll(q, f)
		} else {
			s.whereNear(q, f)
			byActivity{}.inOrder(q, f.Limit)
		}
	}
	return q.String(), q.Args()
}

// NearQuery is how the next sessions in the list are looked through for it.
func NearQuery(s *Store, now time.Time, f SessionFilter) (string, []any) {
	m := s.at(now)
	f = f.withDefaults()
	q := s.nearQuery(m, f, nil)
	if f.Sort == SortActivity {
		q = byActivity{}.inOrder(f.foundQuery(m), f.Limit)
	}
	return q.String(), q.Args()
}

// Costly tells whether a page waits for a turn.
func (f SessionFilter) Costly() bool { return f.withDefaults().isHeavy() }

// HandleOf is how the database knows a session's token.
func HandleOf(s *Store, token string) (id int64, digest []byte) {
	h := s.tokenRef(token)
	return h.id, h.digest
}

// Between holds the writer between two transactions until release is closed; it
// returns once it does.
func Between(s *Store, release <-chan struct{}) {
	held := make(chan struct{})
	go func() {
		_ = s.DB().BetweenWrites(func(context.Context, *sql.Conn) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
}

// Together has the writes of all calls in one transaction, in this order.
func Together(s *Store, calls []func()) {
	release := make(chan struct{})
	Between(s, release)
	var wg sync.WaitGroup
	for i, call := range calls {
		wg.Go(call)
		for s.DB().Waiting() <= i {
			runtime.Gosched()
		}
	}
	close(release)
	wg.Wait()
}

// ShareGate returns how the gate is asked where answer finds its answers.
func ShareGate(answer func(context.Context, time.Time, GateQuestion) (Gate, error)) func(context.Context, time.Time, GateQuestion) (Gate, error) {
	return newSharedGates(answer).ask
}

// LoggedHeartbeats is how many rows the log of heartbeats has.
func LoggedHeartbeats(s *Store) int {
	_, rows := s.beats.Waiting()
	return rows
}

// FoldOneByOne has waiting heartbeats folded in the smallest steps.
func FoldOneByOne(s *Store) { s.beats.Step = 1 }

// CountInSteps counts people as where they are too many for a roster.
func CountInSteps(ctx context.Context, s *Store, now time.Time, f OnlineFilter) (presence.Counts, error) {
	return s.countInSteps(ctx, now, f)
}

// LimitRoster has no roster be of more people.
func LimitRoster(s *Store, people int) { s.roster.limit = people }

// ForgetRoster has the roster read anew.
func ForgetRoster(s *Store) { s.roster.forget() }

// AlwaysRoster has lists answered from a roster, however small the database is, or by SQL again; both in the order of a
// large one.
func AlwaysRoster(s *Store, yes bool) { s.roster.always, s.roster.blocks = yes, true }

// KnowsRow tells whether the next heartbeat of a token that says the same is taken without a look at its session's row.
func KnowsRow(s *Store, token, page string) (known bool) {
	_ = s.db.Do(context.Background(), &sqldb.Job{NoSavepoint: true, Run: func(t *sqldb.Tx) error {
		if err := s.beats.CheckOthers(t); err != nil {
			return err
		}
		of := s.tokenRef(token)
		_, known = s.beats.Known(of.id, s.beats.PrintOf(of.digest, "", page))
		return nil
	}})
	return known
}
