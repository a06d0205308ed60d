package store_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rollcall/store"
	"rollcall/store/fold"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

var onlinePeople = flag.Int("online", 100_000, "how many people BenchmarkOnline has online")

// BenchmarkOnline reads first pages of the people online while 5,000 heartbeats a second are recorded:
//
//	go test ./store -run XXX -bench 'BenchmarkOnline$' -benchtime 200x
func BenchmarkOnline(b *testing.B) {
	s, now := benchOnline(b)
	if _, err := s.CountOnline(b.Context(), now()); err != nil { // see BenchmarkOnlineAtFirst
		b.Fatal(err)
	}
	for _, list := range []struct {
		name string
		f    store.OnlineFilter
	}{
		{"default 50", store.OnlineFilter{Limit: 50}},
		{"default 200", store.OnlineFilter{Limit: 200}},
		{"default 1000", store.OnlineFilter{Limit: 1000}},
		{"name", store.OnlineFilter{Sort: store.SortName, Limit: 50}},
		{"name 200", store.OnlineFilter{Sort: store.SortName, Limit: 200}},
		{"duration", store.OnlineFilter{Sort: store.SortDuration, Limit: 50}},
		{"search everybody", store.OnlineFilter{Search: "person", Limit: 50}},
		{"search a hundred", store.OnlineFilter{Search: "n 77", Limit: 50}},
		{"search one", store.OnlineFilter{Search: "person 77777@", Limit: 50}},
		{"search nobody", store.OnlineFilter{Search: "nobody", Limit: 50}},
		{"organization", store.OnlineFilter{Organization: "Organization 7", Limit: 50}},
		{"team by name", store.OnlineFilter{Team: "Team 3", Sort: store.SortName, Limit: 50}},
		{"role", store.OnlineFilter{Role: "Editor", Limit: 50}},
		{"app", store.OnlineFilter{App: "crm", Limit: 50}},
		{"away", store.OnlineFilter{Status: presence.StatusAway, Limit: 50}},
		{"away by duration", store.OnlineFilter{Status: presence.StatusAway, Sort: store.SortDuration, Limit: 50}},
		{"busy", store.OnlineFilter{Status: presence.StatusBusy, Limit: 50}},
	} {
		b.Run(list.name, func(b *testing.B) {
			measureOnline(b, s, now, list.f, func(*store.OnlineFilter, string) {})
		})
	}
}

// BenchmarkOnlinePages reads the list page by page:
//
//	go test ./store -run XXX -bench OnlinePages -benchtime 1000x
func BenchmarkOnlinePages(b *testing.B) {
	s, now := benchOnline(b)
	if _, err := s.CountOnline(b.Context(), now()); err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]store.OnlineFilter{"200": {Limit: 200}, "1000": {Limit: 1000}, "app 200": {App: "crm", Limit: 200}} {
		b.Run(name, func(b *testing.B) {
			measureOnline(b, s, now, f, func(f *store.OnlineFilter, next string) { f.Cursor = next })
		})
	}
}

// BenchmarkOnlineAtFirst reads the list as a server does that has just been started, which reads everybody:
//
//	go test ./store -run XXX -bench OnlineAtFirst -benchtime 10x
func BenchmarkOnlineAtFirst(b *testing.B) {
	s, now := benchOnline(b)
	measureOnline(b, s, now, store.OnlineFilter{Limit: 50}, func(*store.OnlineFilter, string) { store.ForgetRoster(s) })
}

// benchOnline returns a store with many people online, whose heartbeats go on until the end.
func benchOnline(b *testing.B) (s *store.Store, now func() time.Time) {
	folder := b.TempDir()
	s = Open(b, folder, presence.DefaultRules())
	tokens := make([]string, *onlinePeople)
	for i := range tokens {
		tokens[i] = fmt.Sprintf("token-of-session-%08d", i)
	}
	fillOnline(b, s, OpenShell(b, folder, ""), tokens)
	began := time.Now()
	now = func() time.Time { return Start.Add(time.Since(began)) }
	ctx, stop := context.WithCancel(b.Context())
	beating := beatAtRate(ctx, b, s, now, tokens, 5000)
	b.Cleanup(func() { stop(); beating.Wait() })
	return s, now
}

// measureOnline reads a list again and again, each time after before, which is given the cursor of the next page.
func measureOnline(b *testing.B, s *store.Store, now func() time.Time, f store.OnlineFilter, before func(f *store.OnlineFilter, next string)) {
	b.Helper()
	runtime.LockOSThread() // the processor time is the thread's
	defer runtime.UnlockOSThread()
	var took, used []time.Duration
	next := ""
	for b.Loop() {
		before(&f, next)
		start, at := time.Now(), threadTime(b)
		page, err := s.Online(b.Context(), now(), f)
		if err != nil {
			b.Fatal(err)
		}
		next = page.Next
		took, used = append(took, time.Since(start)), append(used, threadTime(b)-at)
	}
	for name, all := range map[string][]time.Duration{"": took, "cpu-": used} {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, name+"ms-p50")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, name+"ms-p99")
	}
}

// threadTime is for how long a processor has worked for this thread.
func threadTime(b *testing.B) time.Duration {
	b.Helper()
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
		b.Fatal(err)
	}
	return time.Duration(at.Nano())
}

// beatAtRate has the sessions of tokens beat in turn until ctx ends.
func beatAtRate(ctx context.Context, b *testing.B, s *store.Store, now func() time.Time, tokens []string, perSecond int) *sync.WaitGroup {
	const callers = 50
	var wg sync.WaitGroup
	var mu sync.Mutex
	sent := 0
	began := time.Now()
	for range callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				mu.Lock()
				due := began.Add(time.Duration(sent) * time.Second / time.Duration(perSecond))
				i := sent * 7919 % len(tokens)
				sent++
				mu.Unlock()
				time.Sleep(time.Until(due))
				if _, err := s.Touch(ctx, now(), tokens[i], store.Beat{Idle: idleOf(i)}); err != nil && ctx.Err() == nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				if err := s.FoldHeartbeats(ctx, now()); err != nil && ctx.Err() == nil {
					b.Error(err)
				}
			}
		}
	})
	return &wg
}

// idleOf is for how long the person of the i-th token has done nothing: every tenth is away.
func idleOf(i int) time.Duration {
	if i%10 == 3 {
		return 10 * time.Minute
	}
	return 0
}

// fillOnline has somebody online by the session of each token: a tenth of them idle, a tenth in another app, 50 of them
// busy, and every fiftieth by a second session.
func fillOnline(t testing.TB, s *store.Store, db *sql.DB, tokens []string) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	run := func(query string, args ...any) {
		if _, err := tx.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	for o := range 50 {
		run(`INSERT INTO organizations (id, name, created_at, folded) VALUES ($1, $2, 0, $3)`, o+1, fmt.Sprint("Organization ", o), fmt.Sprint("organization ", o))
	}
	run(`INSERT INTO user_agents (id, user_agent) VALUES (1, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36')`)
	start := Start.UnixMilli()
	session := func(i int, key, app string, id int64, digest []byte) {
		run(`INSERT INTO user_sessions (id, user_id, organization_id, app, token_sha256, ip_address, user_agent_id, page, idle_ms, heard,
				last_activity_at, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, '192.0.2.7', 1,
				'/orders/2041', $6, true, $7, $8, $9)`,
			id, key, i%50+1, app, digest, idleOf(i).Milliseconds(), start-int64(i*7919%60_000), start-600_000-int64(i*6007%3_600_000), start+86_400_000)
	}
	for i, token := range tokens {
		n := i * 6007 % len(tokens) // not in the order in which they came
		key := fmt.Sprint("shop/u", n)
		name, email, team, role := fmt.Sprint("Person ", n), fmt.Sprintf("person%d@example.org", n), fmt.Sprint("Team ", i%20), []string{"Clerk", "Clerk", "Clerk", "Editor"}[i%4]
		run(`INSERT INTO users (id, organization_id, name, email, role, team_name, created_at, updated_at, folded, role_folded)
			VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, $8)`, key, i%50+1, name, email, role, team,
			fold.User(name, email, fmt.Sprint("u", n), role, team), fold.Text(role))
		app := "shop"
		if i%10 == 0 {
			app = "crm"
		}
		id, digest := store.HandleOf(s, token)
		session(i, key, app, id, digest)
		if i%50 == 0 {
			id, digest := store.HandleOf(s, token+"2")
			session(i, key, "shop", id, digest)
		}
		if i*50%len(tokens) == 0 {
			run(`INSERT INTO status_claims (user_id, app, status, created_at) VALUES ($1, '', 'busy', $2)`, key, start)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if Postgres {
		ExecSQL(t, db, `ANALYZE`)
	}
}
