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

func TestTheDoctorNamesAPooler(t *testing.T) {
	server := storetest.NewServer(t)
	for address, want := range map[string]string{
		server.URL("public"):                  "ok: None is in front of PostgreSQL",
		server.Pooler(t, "session")("public"): "ok: One that keeps sessions is in front of PostgreSQL; a PgBouncer needs server_login_retry = 1, or refuses everybody for 15 s after a restart",
	} {
		newBench(t, storetest.OpenConfig(t, store.Config{Database: address, Rules: presence.DefaultRules()})).finds(t, "pooler", want)
	}
}

func TestAReplicaOfAnOlderVersionIsNotReadyOnceANewerOneHasUpgradedTheDatabase(t *testing.T) {
	database := storetest.NewServer(t)
	b := newBench(t, storetest.OpenConfig(t, store.Config{Database: database.URL("public"), Rules: presence.DefaultRules()}))
	b.finds(t, "version", "ok: No replica of a newer version has upgraded the database")
	do(t, b, "GET", "/readyz", nil).wants(200)
	db := database.Open(t, "public")
	defer db.Close()
	storetest.ExecSQL(t, db, `UPDATE settings SET value = value + 1 WHERE name = 'schema_version'`)
	do(t, b, "GET", "/readyz", nil).wants(503)
	b.finds(t, "version", "problem: A replica of a newer version has upgraded the database")
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
