//go:build postgres

package server

import (
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

func TestTheDoctorNamesAPostgreSQLThatForgets(t *testing.T) {
	server := storetest.NewServer(t)
	asked := func(address string) *bench {
		return newBench(t, storetest.OpenConfig(t, store.Config{Database: address, Rules: presence.DefaultRules()}))
	}
	well := asked(server.URL("public"))
	well.finds(t, "commits", "ok: PostgreSQL answers when they are on its disk")
	well.finds(t, "encryption", "ok: Nobody listens on the way to PostgreSQL")
	asked(server.URL("public")+"&synchronous_commit=off").finds(t, "commits",
		"problem: PostgreSQL answers before they are on its disk (synchronous_commit=off)")

	db := server.Open(t, "public")
	defer db.Close()
	for _, statement := range []string{`ALTER SYSTEM SET fsync = off`, `SELECT pg_reload_conf()`} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the doctor tells of fsync", patient, func() bool {
		return well.finding(t, "commits") == "problem: PostgreSQL does not write them to its disk (fsync=off) ALTER SYSTEM SET fsync = on SELECT pg_reload_conf()"
	})
}

func TestTheDoctorNamesAReplicaWhoseClockIsWrong(t *testing.T) {
	s := storetest.New(t)
	for off, want := range map[time.Duration]string{
		0:                 "ok: This server's agrees with PostgreSQL's",
		90 * time.Second:  "warning: This machine's is about 1m30s ahead of PostgreSQL's timedatectl set-ntp true",
		-90 * time.Second: "warning: This machine's is about 1m30s behind PostgreSQL's timedatectl set-ntp true",
	} {
		b := newBench(t, s, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(off) } })
		b.finds(t, "clocks", want)
	}
}
