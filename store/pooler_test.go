//go:build postgres

package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

func TestAPoolerThatKeepsSessionsWillDo(t *testing.T) {
	server := NewServer(t)
	address := server.Pooler(t, "session")("public")
	opened, err := store.Open(t.Context(), store.Config{Database: address, Rules: presence.DefaultRules(), Now: Start})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := opened.Login(t.Context(), Start, Shop, store.Login{User: store.UserInput{ID: "ada"}}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-opened.DB().Changed():
	case <-t.Context().Done():
	}
	var settings string
	err = opened.DB().Scan(t.Context(), []any{&settings}, `SELECT concat_ws(' ', current_setting('lock_timeout'), current_setting('synchronous_commit'),
		current_setting('idle_in_transaction_session_timeout'), current_setting('default_transaction_read_only'))`)
	if err != nil || settings != "5s on 8s on" {
		t.Errorf("the settings of a reader are %s, %v", settings, err)
	}
}

// TestBehindAPoolerARestartOfTheServerIsOverSoon has a PgBouncer as README advises: by its default
// it refuses everybody for 15 s after it could not log in.
func TestBehindAPoolerARestartOfTheServerIsOverSoon(t *testing.T) {
	server := NewServer(t)
	s := OpenConfig(t, store.Config{Database: server.Pooler(t, "session", "server_login_retry = 1")("public"), Rules: presence.DefaultRules(), Now: Start})
	ada := LogIn(t, s, Start, "ada")
	server.Stop()
	for range 3 {
		// The pooler keeps whoever connects waiting for two minutes.
		answered := make(chan error, 1)
		go func() {
			_, err := s.Touch(t.Context(), Start, ada.Token, store.Beat{})
			answered <- err
		}()
		select {
		case err := <-answered:
			if !errors.Is(err, sqldb.ErrUnavailable) {
				t.Errorf("while it is away, a heartbeat is told %v", err)
			}
		case <-time.After(agreeWithin):
			t.Errorf("while it is away, a heartbeat is told nothing for %v", agreeWithin)
		}
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var err error
	for deadline := time.Now().Add(agreeWithin); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, err = s.Touch(t.Context(), Start, ada.Token, store.Beat{}); err == nil {
			return
		}
	}
	t.Errorf("%v after it is back, a heartbeat is told %v", agreeWithin, err)
}

func TestAPoolerThatSharesSessionsIsRefused(t *testing.T) {
	server := NewServer(t)
	for _, mode := range []string{"transaction", "statement"} {
		address := server.Pooler(t, mode)("public")
		opened, err := store.Open(t.Context(), store.Config{Database: address, Rules: presence.DefaultRules(), Now: Start})
		if err == nil {
			opened.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "pool_mode = transaction") || strings.Contains(err.Error(), "\n") {
			t.Errorf("with pool_mode = %s: %v", mode, err)
		}
	}
}

// TestASessionThatEndedWhileNobodyUsedItCostsNoWrite has the server end all sessions between
// writes, as with idle_session_timeout, or a pooler with a limit of its own.
func TestASessionThatEndedWhileNobodyUsedItCostsNoWrite(t *testing.T) {
	server := NewServer(t)
	opened, err := store.Open(t.Context(), store.Config{Database: server.URL("public"), Rules: presence.DefaultRules(), Now: Start})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	admin := server.Open(t, "public")
	defer admin.Close()
	for n := range 12 {
		if _, err := admin.Exec(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'rollcall' AND state = 'idle' AND query NOT LIKE 'LISTEN%'`); err != nil {
			t.Fatal(err)
		}
		if _, err := opened.Login(t.Context(), Start, Shop, store.Login{User: store.UserInput{ID: "ada"}}); err != nil {
			t.Errorf("login %d: %v", n+1, err)
		}
	}
}
