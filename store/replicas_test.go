//go:build postgres

package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// replicas returns two stores on one database, as two servers have it.
func replicas(t *testing.T) (a, b *store.Store) {
	t.Helper()
	folder := t.TempDir()
	return Open(t, folder, presence.DefaultRules()), Open(t, folder, presence.DefaultRules())
}

// awaits fails unless s is woken by what do does elsewhere.
func awaits(t *testing.T, s *store.Store, do func()) {
	t.Helper()
	drain(s)
	do()
	select {
	case <-s.DB().Changed():
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was woken")
	}
}

func TestAReplicaIsWokenByTheOthersCommits(t *testing.T) {
	a, b := replicas(t)
	var ada store.LoginResult
	awaits(t, b, func() { ada = LogIn(t, a, Start, "ada") })
	wantOnline(t, b, Start, "ada")
	awaits(t, a, func() {
		if ended, err := b.EndByID(t.Context(), Start, "", ada.ID, presence.EndRevoked); err != nil || !ended {
			t.Fatal(ended, err)
		}
	})
	changes, err := a.Changes(t.Context(), 1, 10)
	if want := (store.Change{Seq: 2, UserID: "ada", SessionID: ada.ID, App: "shop", Reason: presence.EndRevoked}); err != nil || !slices.Equal(changes, []store.Change{want}) {
		t.Errorf("%+v, %v", changes, err)
	}
	if _, err := a.Authenticate(t.Context(), Start, ada.Token); !errors.Is(err, store.ErrSessionEnded) {
		t.Errorf("the other replica still lets her in: %v", err)
	}
	if _, err := a.Touch(t.Context(), Start, ada.Token, store.Beat{}); !errors.Is(err, store.ErrSessionEnded) {
		t.Errorf("the other replica still takes her heartbeats: %v", err)
	}
}

func TestAPageIsNotedAgainThatSaidGoodbyeToAnotherReplica(t *testing.T) {
	for name, leave := range map[string]func(s *store.Store) error{
		"it was closed": func(s *store.Store) error {
			return s.NoteUnknownLeaving(t.Context(), Start.Add(5*time.Second), tokenA, "a")
		},
		"its application said that it is gone": func(s *store.Store) error {
			_, err := s.EndByToken(t.Context(), Start.Add(5*time.Second), "shop", tokenA, presence.EndLogout)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := replicas(t)
			page(t, a, 0, tokenA, store.Beat{Client: "a"})
			if err := leave(b); err != nil {
				t.Fatal(err)
			}
			page(t, a, 7, tokenA, store.Beat{Client: "a"}) // the next page
			wantLevel(t, b, 60, presence.GateCaution)
		})
	}
}

func TestAShellWakesTheReplicas(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	LogIn(t, s, Start, "ada")
	db := Shell(t, folder)
	awaits(t, s, func() { ExecSQL(t, db, `UPDATE users SET team_name = 'A'`) })
}

func TestTheShellsCleanupEndsWhatHasExpired(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	now := time.Now()
	old, fresh := LogIn(t, s, now.Add(-25*time.Hour), "ada"), LogIn(t, s, now, "bob")
	db := Shell(t, folder)
	awaits(t, s, func() {
		if n := Number(t, db, `SELECT cleanup_expired_sessions()`); n != 1 {
			t.Errorf("%d were ended", n)
		}
	})
	if n := Number(t, db, `SELECT cleanup_expired_sessions()`); n != 0 {
		t.Errorf("%d more", n)
	}
	if _, err := s.Touch(t.Context(), now, fresh.Token, store.Beat{}); err != nil {
		t.Error(err)
	}
	var ended *store.EndedError
	if _, err := s.Touch(t.Context(), now, old.Token, store.Beat{}); !errors.As(err, &ended) || ended.Reason != presence.EndExpired {
		t.Error(err)
	}
}

func TestTheLimitHoldsOverTwoReplicas(t *testing.T) {
	for _, limit := range []store.SessionLimit{{Sessions: 3}, {Sessions: 3, Deny: true}} {
		t.Run(fmt.Sprintf("%+v", limit), func(t *testing.T) {
			folder := t.TempDir()
			both := []*store.Store{Limited(t, folder, limit), Limited(t, folder, limit)}
			var over, evicted atomic.Int64
			var logins sync.WaitGroup
			start := make(chan struct{})
			for i := range 200 {
				logins.Go(func() {
					<-start
					result, err := logsIn(t, both[i%2], 0, "shop", "")
					if err != nil {
						t.Error(err)
					}
					if result.OverLimit {
						over.Add(1)
					}
					evicted.Add(int64(len(result.Evicted)))
				})
			}
			close(start)
			logins.Wait()
			active, err := both[0].CountSessions(t.Context(), after(0), store.SessionFilter{User: "ada"})
			if err != nil || active != 200-evicted.Load() || over.Load()+evicted.Load() != 197 || limit.Deny != (evicted.Load() == 0) {
				t.Errorf("%d active (%v), %d over the limit, %d evicted", active, err, over.Load(), evicted.Load())
			}
		})
	}
}

// TestTheLogHasNoHolesWhoeverWrites: two replicas and a shell whose transactions
// take long, are rolled back and touch the same rows in another order.
func TestTheLogHasNoHolesWhoeverWrites(t *testing.T) {
	folder := t.TempDir()
	both := []*store.Store{Open(t, folder, presence.DefaultRules()), Open(t, folder, presence.DefaultRules())}
	const people = 20
	var tokens []string
	for i := range people {
		tokens = append(tokens, LogIn(t, both[0], Start, fmt.Sprint("p", i)).Token)
	}
	first, err := both[0].LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var writers, reader sync.WaitGroup
	for i, s := range both {
		for k := range people {
			writers.Go(func() {
				for n := range 10 {
					page := fmt.Sprint("/", i, k, n)
					Touch(t, s, Start.Add(time.Duration(n)*time.Second), tokens[k], store.Beat{Page: &page})
				}
			})
		}
	}
	db := Shell(t, folder)
	writers.Go(func() {
		for n := range 20 {
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			for k := people - 1; k >= 0; k -= 3 {
				if _, err := tx.Exec(`UPDATE user_sessions SET page = $1 WHERE user_id = $2`, fmt.Sprint("/shell/", n), fmt.Sprint("p", k)); err != nil {
					t.Error(err)
				}
			}
			if n%2 == 0 {
				err = tx.Rollback()
			} else {
				err = tx.Commit()
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	// A reader who goes on from what it has seen must miss nothing: a number that
	// appears after a greater one was read would be lost to it.
	done := make(chan struct{})
	seen := 0
	reader.Go(func() {
		for at, over := first, false; ; {
			select {
			case <-done:
				over = true
			default:
			}
			changes, err := both[1].Changes(t.Context(), at, 1000)
			if err != nil {
				t.Error(err)
				return
			}
			seen += len(changes)
			if len(changes) > 0 {
				at = changes[len(changes)-1].Seq
			} else if over {
				return
			}
		}
	})
	writers.Wait()
	close(done)
	reader.Wait()
	last, err := both[0].LastChange(t.Context())
	if want := 2*people*10 + 10*7; err != nil || seen != want || last != first+int64(want) {
		t.Errorf("%d changes were read, the last is %d after %d (%v); want %d", seen, last, first, err, want)
	}
}

func TestOneReplicaCleansUpAtATime(t *testing.T) {
	folder := t.TempDir()
	both := []*store.Store{Open(t, folder, presence.DefaultRules()), Open(t, folder, presence.DefaultRules())}
	db := Shell(t, folder)
	fill(t, db, 5000)
	first, err := both[0].LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ended, purged atomic.Int64
	var cleanups sync.WaitGroup
	for _, s := range both {
		cleanups.Go(func() {
			for range 3 {
				got, err := s.Cleanup(t.Context(), Start.Add(48*time.Hour))
				if err != nil {
					t.Error(err)
				}
				ended.Add(got.Ended)
				purged.Add(got.Purged)
			}
		})
	}
	cleanups.Wait()
	last, err := both[0].LastChange(t.Context())
	if err != nil || ended.Load() != 2000 || last != first+2000 {
		t.Errorf("%d sessions were ended and %d told of, %v; want 2000", ended.Load(), last-first, err)
	}
	if n := Number(t, db, `SELECT COUNT(*) FROM user_sessions WHERE is_active`); n != 0 {
		t.Errorf("%d are left", n)
	}

	held, err := db.BeginTx(t.Context(), nil) // as a replica that cleans up
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.Exec(`LOCK TABLE cleanup_turn IN EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	LogIn(t, both[0], Start, "late")
	if got, err := both[0].Cleanup(t.Context(), Start.Add(48*time.Hour)); err != nil || got.Ended != 0 {
		t.Errorf("beside another cleanup it did %+v, %v", got, err)
	}
	asked := make(chan store.Cleaned)
	go func() {
		got, err := both[1].CleanupBy(t.Context(), Start.Add(48*time.Hour), "user:root")
		if err != nil {
			t.Error(err)
		}
		asked <- got
	}()
	for Number(t, db, `SELECT COUNT(*) FROM pg_locks WHERE relation = 'cleanup_turn'::regclass AND NOT granted`) == 0 { // until it waits
	}
	if err := held.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := <-asked; got.Ended != 1 {
		t.Errorf("whoever asked for it was told of %+v", got)
	}
}

// TestWhatTakesLongKeepsItsTurn has one do something for longer than a server waits for one that is frozen.
func TestWhatTakesLongKeepsItsTurn(t *testing.T) {
	folder := t.TempDir()
	a, b := Open(t, folder, presence.DefaultRules()), Open(t, folder, presence.DefaultRules())
	db := Shell(t, folder)
	const long = `SELECT COUNT(*) FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE relation = 'cleanup_turn'::regclass AND granted)
		AND xact_start < clock_timestamp() - INTERVAL '2.5 s'`
	err := a.DB().CleanUp(t.Context(), false, func() error {
		for deadline := time.Now().Add(10 * time.Second); Number(t, db, long) == 0; {
			if time.Now().After(deadline) {
				return errors.New("the server took its turn away")
			}
		}
		return b.DB().CleanUp(t.Context(), false, func() error { return errors.New("another has the turn, too") })
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTwoReplicasMayMakeTheTablesAtOnce(t *testing.T) {
	for range 5 {
		folder := t.TempDir()
		cfg := Config(t, folder)
		var opens sync.WaitGroup
		stores := make([]*store.Store, 4)
		for i := range stores {
			opens.Go(func() {
				s, err := store.Open(t.Context(), cfg)
				if err != nil {
					t.Error(err)
					return
				}
				stores[i] = s
			})
		}
		opens.Wait()
		if t.Failed() {
			return
		}
		ada := LogIn(t, stores[0], Start, "ada")
		for _, s := range stores {
			if _, err := s.Authenticate(t.Context(), Start, ada.Token); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestTwoReplicasTellTheSameAsOne lets things happen in two replicas by turns and
// holds both against the model.
func TestTwoReplicasTellTheSameAsOne(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		folder := t.TempDir()
		cfg := Config(t, folder)
		cfg.Rules = presence.DefaultRules()
		var both []*store.Store
		for range 2 {
			s, err := store.Open(context.Background(), cfg)
			if err != nil {
				r.Fatal(err)
			}
			defer s.Close()
			both = append(both, s)
		}
		w := NewWorld(both[0])
		for range rapid.IntRange(5, 20).Draw(r, "things") {
			w.Store = Pick(r, "replica", both...)
			r.Log(w.DoCalmly(r))
			w.Store = Pick(r, "looks", both...)
			w.Check(r)
		}
	})
}
