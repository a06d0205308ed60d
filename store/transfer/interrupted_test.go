//go:build postgres

package transfer_test

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rollcall/store"
	. "rollcall/store/storetest"
	"rollcall/store/transfer"
)

func wantEmpty(t *testing.T, target string) {
	t.Helper()
	db, err := sql.Open("pgx", Config(t, target).Database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if n := Number(t, db, `SELECT COUNT(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace`); n > 0 {
		t.Fatalf("%d tables, indexes or sequences are there", n)
	}
}

// TestAnInterruptedCopyLeavesNothing interrupts copies at each step and, by the clock, anywhere between them.
func TestAnInterruptedCopyLeavesNothing(t *testing.T) {
	folder, _, _, _ := populated(t, 10)
	before := file(t, folder)
	target := t.TempDir()
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	o := transfer.Options{Folder: folder, Database: Config(t, target).Database}
	interrupted := map[transfer.Step]int{}
	for at := 1; ; at++ {
		ctx, cancel := context.WithCancel(t.Context())
		steps := 0
		o.Progress = func(p transfer.Progress) {
			if steps++; steps == at {
				interrupted[p.Step]++
				if at%2 == 0 {
					time.AfterFunc(time.Duration(random.Int64N(int64(5*time.Millisecond))), cancel)
				} else {
					cancel()
				}
			}
		}
		_, err := transfer.Copy(ctx, o)
		cancel()
		if steps < at {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if err == nil || errors.Is(err, transfer.ErrCommitUnknown) { // by the clock: as late as that
			target = t.TempDir()
			o.Database = Config(t, target).Database
			continue
		}
		wantEmpty(t, target)
	}
	if interrupted[transfer.Copying] == 0 || interrupted[transfer.Verifying] == 0 {
		t.Error("interrupted only: ", interrupted)
	}
	wantSameRows(t, folder, target)
	wantUntouched(t, folder, before)
}

func TestACopyThatLosesItsServerIsStartedAgain(t *testing.T) {
	folder, _, _, _ := populated(t, 10)
	for _, step := range []transfer.Step{transfer.Copying, transfer.Verifying} {
		server := NewServer(t)
		o := transfer.Options{Folder: folder, Database: server.URL("public")}
		o.Progress = func(p transfer.Progress) {
			if p.Step == step && p.Table == "user_sessions" && o.Progress != nil {
				o.Progress = nil
				server.Stop()
			}
		}
		if _, err := transfer.Copy(t.Context(), o); err == nil {
			t.Fatal("it was not interrupted")
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		o.Progress = nil
		if _, err := transfer.Copy(t.Context(), o); err != nil {
			t.Error(step, err)
		}
	}
}

// TestNobodyKnowsOfACommitWithoutAnAnswer has the commit wait for a standby that never comes.
func TestNobodyKnowsOfACommitWithoutAnAnswer(t *testing.T) {
	folder, now, open, _ := populated(t, 10)
	server := NewServer(t)
	db := server.Open(t, "public")
	defer db.Close()
	ExecSQL(t, db, `ALTER SYSTEM SET synchronous_standby_names = 'nobody'`)
	ExecSQL(t, db, `SELECT pg_reload_conf()`)
	o := transfer.Options{Folder: folder, Database: server.URL("public")}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for waits := false; !waits && t.Context().Err() == nil; {
			_ = db.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep')`).Scan(&waits)
		}
	}()
	_, err := transfer.Copy(ctx, o)
	if !errors.Is(err, transfer.ErrCommitUnknown) {
		t.Fatal(err)
	}
	_, err = transfer.Copy(t.Context(), o)
	if !errors.Is(err, transfer.ErrTargetTaken) || !strings.Contains(err.Error(), "a complete copy of this data already") {
		t.Fatal("the same command again: ", err)
	}
	ExecSQL(t, db, `ALTER SYSTEM RESET synchronous_standby_names`)
	ExecSQL(t, db, `SELECT pg_reload_conf()`)
	s := OpenConfig(t, store.Config{Database: o.Database})
	if _, err := s.Authenticate(t.Context(), now, open[0]); err != nil {
		t.Error(err)
	}
}
