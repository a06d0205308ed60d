//go:build postgres

package store_test

import (
	"strings"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
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
	var turns, commit string
	if err := opened.DB().Scan(t.Context(), []any{&turns, &commit}, `SELECT current_setting('lock_timeout'), current_setting('synchronous_commit')`); err != nil || turns != "5s" || commit != "on" {
		t.Errorf("the settings are lock_timeout %s, synchronous_commit %s, %v", turns, commit, err)
	}
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
