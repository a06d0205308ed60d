//go:build postgres

package server

import (
	"database/sql"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

// replicas are two servers on one database, by the true clock, with a reader of
// the live feed at each.
type replicas struct {
	*testing.T
	servers [2]*served
	readers [2]*reader
	db      *sql.DB
}

func newReplicas(t *testing.T) *replicas {
	folder := t.TempDir()
	rules := presence.DefaultRules()
	rules.LeaveGrace = 200 * time.Millisecond
	r := &replicas{T: t, db: storetest.Shell(t, folder)}
	for i := range r.servers {
		r.servers[i] = servingOn(t, storetest.Open(t, folder, rules))
	}
	key := r.servers[0].key(t, "panel", "read")
	for i, s := range r.servers {
		r.readers[i], _ = s.follow(t, "", bearing(key))
	}
	t.Cleanup(func() {
		for _, s := range r.servers {
			s.stop()
			if err := <-s.ended; err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

// tell fails unless the next news at both replicas is this.
func (r *replicas) tell(want string) {
	r.Helper()
	for i, reader := range r.readers {
		e := reader.next()
		for e.Type == "gate" {
			e = reader.next()
		}
		if e.String() != want {
			r.Fatalf("replica %d tells %s, want %s", i, e, want)
		}
	}
}

func TestBothReplicasTellWhatHappensAtOne(t *testing.T) {
	r := newReplicas(t)
	a, b := r.servers[0], r.servers[1]
	ada := a.enter(t, "ada")
	r.tell("online ada")
	bob := b.enter(t, "bob")
	r.tell("online bob")
	b.beat(t, ada, store.Beat{Page: text("/b")}) // her next request went to the other
	r.tell("updated ada")
	a.beat(t, bob, store.Beat{Leaving: true})
	r.tell("offline bob left") // once each: what follows is of something else
	if _, err := r.db.Exec(`UPDATE users SET team_name = 'A' WHERE id = 'shop/ada'`); err != nil {
		t.Fatal(err)
	}
	r.tell("updated ada")
	if _, err := b.store.EndByToken(t.Context(), b.now(), "shop", ada, presence.EndLogout); err != nil {
		t.Fatal(err)
	}
	r.tell("session_ended ada logout")
	r.tell("offline ada logout")
}

func TestARevocationAtOneReplicaEndsWhatIsOpenAtTheOther(t *testing.T) {
	r := newReplicas(t)
	a, b := r.servers[0], r.servers[1]
	token := a.enter(t, "ada")
	r.tell("online ada")
	live, _, err := b.visits(t, bearing(token))
	if err != nil {
		t.Fatal(err)
	}
	admin := a.admin(t)
	do(t, a.bench, "POST", "/admin/sessions/revoke", `{"user": "ada", "directory": "shop"}`, bearing(admin)).wants(200)
	began := time.Now()
	do(t, b.bench, "POST", "/admin/users/heartbeat", `{}`, bearing(token)).refuses(404, "session_ended")
	for got := live.next(); got != "closed StatusPolicyViolation"; got = live.next() {
	}
	t.Logf("the other replica closed it after %v", time.Since(began).Round(time.Millisecond))
	r.tell("session_ended ada revoked")
	r.tell("offline ada revoked")
}

// TestAReplicaThatHeardNothingForAWhileCatchesUp cuts the connections by which the
// replicas listen, and lets things happen before they are there again.
func TestAReplicaThatHeardNothingForAWhileCatchesUp(t *testing.T) {
	r := newReplicas(t)
	for _, id := range []string{"bob", "cy", "dan"} {
		const listening = ` FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND query LIKE '%' || 'changes'::regclass::oid`
		for there := 0; there < len(r.servers); { // they may not be back from the last time
			if err := r.db.QueryRow(`SELECT COUNT(*)` + listening).Scan(&there); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.db.Exec(`SELECT pg_terminate_backend(pid)` + listening); err != nil {
			t.Fatal(err)
		}
		token := r.servers[0].enter(t, "ada")
		if _, err := r.servers[1].store.EndByToken(t.Context(), time.Now(), "shop", token, presence.EndLogout); err != nil {
			t.Fatal(err)
		}
		r.servers[0].enter(t, id)
		for i, reader := range r.readers {
			e := reader.next()
			for ; e.User.ID != id; e = reader.next() {
				if e.Type == "reset" || e.User.ID+e.UserID != "ada" && e.Type != "gate" { // who came and went before anybody looked, or not
					t.Fatalf("replica %d tells %s, want that %s is online", i, e, id)
				}
			}
		}
	}
}
