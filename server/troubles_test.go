package server

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/store/sqldb"
)

const refusals = 1000

// refused sends so many requests at once, each of which has to be refused with 503.
func (b *bench) refused(t *testing.T, method, path string, body func(n int) any, key string) {
	t.Helper()
	var asking sync.WaitGroup
	for n := range refusals {
		asking.Go(func() {
			if got := do(t, b, method, path, body(n), bearing(key)); got.Code != http.StatusServiceUnavailable {
				t.Errorf("%s %s: %d %s", method, path, got.Code, got.Body)
			}
		})
	}
	asking.Wait()
}

// refusedLogins is refused for logins of so many people.
func (b *bench) refusedLogins(t *testing.T, key string) {
	t.Helper()
	b.refused(t, "POST", "/admin/sessions", func(n int) any { return fmt.Sprintf(`{"user":{"id":"user%d"}}`, n) }, key)
}

// failures are the lines of the log by which something failed.
func (b *bench) failures() []string {
	return append(b.lines(`"level":"error"`), b.lines(`"failed":`)...)
}

// hadOneTrouble fails unless the log has one line for its begin and one, with the count, for its end.
func (b *bench) hadOneTrouble(t *testing.T, begins, ends string) {
	t.Helper()
	told := b.failures()
	if len(told) != 2 || !strings.Contains(told[0], begins) || !strings.Contains(told[1], ends) {
		t.Fatalf("the log: %v", told)
	}
	var failed int
	if _, err := fmt.Sscanf(told[1][strings.Index(told[1], `"failed":`):], `"failed":%d`, &failed); err != nil || failed < refusals {
		t.Errorf("of %d refusals it counts %d (%v): %s", refusals, failed, err, told[1])
	}
}

func TestAFullDiskHasTwoLinesInTheLog(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		key := s.key(t, "shop", "sessions")
		pages := func(most int) {
			err := s.store.DB().BetweenWrites(func(_ context.Context, conn *sql.Conn) error {
				_, err := conn.ExecContext(context.Background(), fmt.Sprint(`PRAGMA max_page_count = `, most))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		pages(1) // no fewer than there are
		for n := 0; do(t, s.bench, "POST", "/admin/sessions", fmt.Sprintf(`{"user":{"id":"first%d"},"user_agent":%q}`, n, strings.Repeat("x", 400)), bearing(key)).Code == http.StatusCreated; n++ {
		}
		s.refused(t, "POST", "/admin/sessions", func(n int) any {
			return fmt.Sprintf(`{"user":{"id":"user%d","name":%q}}`, n, strings.Repeat("x", 200))
		}, key)
		pages(1 << 20)
		time.Sleep(10 * time.Second)
		s.hadOneTrouble(t, "the disk is full", "there is room on the disk again")
	})
}

func TestADatabaseThatAnotherKeepsHasTwoLinesInTheLog(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serving(t)
		key := s.key(t, "shop", "sessions")
		s.person(t, key, "ada")
		other, err := sql.Open("sqlite", "file:"+filepath.Join(s.folder, sqldb.FileName)+"?_txlock=immediate&_pragma=busy_timeout(5000)")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		kept, err := other.BeginTx(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		s.refusedLogins(t, key)
		if err := kept.Rollback(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		s.hadOneTrouble(t, "the database is too busy", "the database keeps up again")
	})
}
