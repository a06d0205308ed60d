//go:build postgres

package cli_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/store"
	"rollcall/store/storetest"
)

// TestAServerWhosePostgreSQLHasAFullDiskIsNotReady fills the disk that PostgreSQL has: what is
// there already it can still write in its place.
func TestAServerWhosePostgreSQLHasAFullDiskIsNotReady(t *testing.T) {
	disk, err := os.MkdirTemp("", "disk") // the way to a socket may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(disk) })
	mountDisk(t, disk, "size=128m,mode=1777")
	t.Setenv("TMPDIR", disk)
	address := storetest.NewServer(t).URL("public")
	s := storetest.OpenConfig(t, store.Config{Database: address})
	_, key, err := s.CreateKey(t.Context(), time.Now(), store.ActorSystem, "shop", "", store.Scopes{store.ScopeAdmin, store.ScopeSessions})
	if err != nil {
		t.Fatal(err)
	}
	_, url, said := startServing(t, "--database", address)
	go drain(said)
	asked := client.New(url, key)
	defer asked.Close()
	ballast := fillDisk(t, disk)
	for n := 0; n < 5000 && err == nil; n++ { // some may fit into what the files have already
		_, err = asked.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: fmt.Sprint("user", n)}, UserAgent: strings.Repeat("x", 300)})
	}
	wantFull(t, "a login", err)
	wantFull(t, "readiness", asked.Health(t.Context()))
	os.Remove(ballast)
	if err := asked.Health(t.Context()); err != nil {
		t.Errorf("after it healed: %v", err)
	}
}
