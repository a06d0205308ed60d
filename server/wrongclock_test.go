package server

import (
	"fmt"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/sqldb"
	"rollcall/store/storetest"
)

// servesBy serves what is in a store for a while, by a clock that is off. Whoever's tokens are
// given sends a heartbeat every minute, and so the gate must not be clear.
func servesBy(t *testing.T, db *store.Store, off, long time.Duration, tokens ...string) {
	t.Helper()
	s := servingOn(t, db, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(off) } })
	key := s.key(t, fmt.Sprint("gate", time.Now().UnixNano()), "read")
	for passed := time.Duration(0); passed < long; passed += time.Minute {
		if status := s.gateAsks(t, key); status != 409 && len(tokens) > 0 {
			t.Errorf("%v after a start by a clock that is off by %v the gate answers %d", passed, off, status)
		}
		for _, token := range tokens {
			do(t, s.bench, "POST", "/admin/users/heartbeat", nil, bearing(token)).wants(200)
		}
		time.Sleep(min(time.Minute, long-passed))
	}
	s.stop()
	<-s.ended
}

func TestAStartByAWrongClockEndsAndRemovesNothing(t *testing.T) {
	const day = 24 * time.Hour
	for _, off := range []time.Duration{2 * day, 32 * day, 400 * day, -2 * day, -400 * day, -20 * 365 * day} {
		bubble(t, func(t *testing.T) {
			db := storetest.OpenFile(t, t.TempDir(), store.Config{}.Rules)
			ada, bob := storetest.LogIn(t, db, time.Now(), "ada").Token, storetest.LogIn(t, db, time.Now(), "bob").Token
			gone := storetest.LogIn(t, db, time.Now(), "gone")
			if _, err := db.EndByToken(t.Context(), time.Now(), "shop", gone.Token, "logout"); err != nil {
				t.Fatal(err)
			}
			servesBy(t, db, 0, 7*time.Minute, ada, bob)
			before := rows(t, db)
			servesBy(t, db, off, 9*time.Minute, ada) // until somebody restarts it, or the machine
			if after := rows(t, db); after != before {
				t.Errorf("of %d rows %d are left", before, after)
			}
			time.Sleep(20 * time.Minute)
			servesBy(t, db, 0, 30*time.Minute, ada)
			if _, err := db.Touch(t.Context(), time.Now(), bob, store.Beat{}); err != nil {
				t.Errorf("who was away meanwhile: %v", err)
			}
		})
	}
}

// rows counts what a cleanup may remove, and the sessions that it has not ended.
func rows(t *testing.T, db *store.Store) (n int) {
	t.Helper()
	err := db.DB().Scan(t.Context(), []any{&n}, `SELECT (SELECT COUNT(*) FROM user_sessions) + (SELECT COUNT(*) FROM user_sessions WHERE is_active = true)
		+ (SELECT COUNT(*) FROM audit WHERE action = 'session.end')`)
	if err != nil {
		t.Fatal(sqldb.Wrap("counting", err))
	}
	return n
}

func TestASampleFromTheFutureDoesNotTellThatNobodyIsThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		db := storetest.OpenFile(t, t.TempDir(), store.Config{}.Rules)
		servesBy(t, db, 8*time.Hour, 6*time.Minute) // with a sample of nobody
		ada := storetest.LogIn(t, db, time.Now(), "ada").Token
		servesBy(t, db, 0, 4*time.Minute, ada)
		time.Sleep(22 * time.Minute)
		servesBy(t, db, 0, time.Minute, ada)
	})
}

func TestAClockIsTrustedWithRemovingAfterAnHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		db := storetest.OpenFile(t, t.TempDir(), store.Config{}.Rules)
		old := storetest.LogIn(t, db, time.Now(), "old")
		if _, err := db.EndByToken(t.Context(), time.Now(), "shop", old.Token, "logout"); err != nil {
			t.Fatal(err)
		}
		before := rows(t, db)
		time.Sleep(db.Rules().Retention)
		s := servingOn(t, db)
		time.Sleep(59 * time.Minute)
		if n := rows(t, db); n != before {
			t.Errorf("within an hour %d of %d rows are left", n, before)
		}
		time.Sleep(time.Hour)
		if n := rows(t, db); n != before-1 {
			t.Errorf("after that %d of %d rows are left", n, before)
		}
		s.stop()
		<-s.ended
	})
}
