package doctor

import (
	"context"
	"errors"
	"time"

	"rollcall/server/api"
	"rollcall/server/clock"
	"rollcall/store/sqldb"
)

// postgresFindings tell how the database's server keeps what it is given; none where
// the database is a file.
func (d *Doctor) postgresFindings(ctx context.Context) ([]api.Finding, error) {
	b, err := d.cfg.Store.DB().ServerInfo(ctx)
	if errors.Is(err, sqldb.ErrNotFound) {
		return nil, nil // no server, no findings
	}
	if err != nil {
		return nil, err
	}
	ahead, err := d.cfg.Clock.AheadOfDatabase(ctx)
	if err != nil {
		return nil, err
	}
	newer := d.cfg.Store.DB().CheckSchema(ctx)
	if newer != nil && !errors.Is(newer, sqldb.ErrNewerSchema) {
		return nil, newer
	}
	return []api.Finding{versionFinding(newer), commitsFinding(b), encryptionFinding(b), poolerFinding(b), replicaClockFinding(ahead)}, nil
}

// versionFinding tells replicas of two versions on one database apart.
func versionFinding(newer error) api.Finding {
	if newer != nil {
		return api.Problem("version", "A replica of a newer version has upgraded the database",
			"This one does not know what the tables mean now, and answers /readyz with 503. Replace it by the newer version.")
	}
	return api.Fine("version", "No replica of a newer version has upgraded the database")
}

func commitsFinding(b sqldb.ServerInfo) api.Finding {
	switch {
	case b.FsyncOff:
		return api.Problem("commits", "PostgreSQL does not write them to its disk (fsync=off)",
			"When its machine stops, what was acknowledged may be gone, and all else with it. As its superuser:",
			"ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()")
	case b.AsyncCommit:
		return api.Problem("commits", "PostgreSQL answers before they are on its disk (synchronous_commit=off)",
			"When it stops, what was acknowledged in the moments before is gone. Take that setting out of the address of the database.")
	}
	return api.Fine("commits", "PostgreSQL answers when they are on its disk")
}

func encryptionFinding(b sqldb.ServerInfo) api.Finding {
	if b.Plaintext {
		return api.Warning("encryption", "PostgreSQL is reached over a network in the clear",
			"Whoever listens there reads who is logged in, and from where. Add to the address of the database:", "sslmode=verify-full")
	}
	return api.Fine("encryption", "Nobody listens on the way to PostgreSQL")
}

func poolerFinding(b sqldb.ServerInfo) api.Finding {
	if b.Pooled {
		return api.Fine("pooler", "One that keeps sessions is in front of PostgreSQL; a PgBouncer needs server_login_retry = 1, or refuses everybody for 15 s after a restart")
	}
	return api.Fine("pooler", "None is in front of PostgreSQL")
}

// roundedWords rounds to what a measurement over a network is good for.
func roundedWords(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(time.Second).String()
	}
	return d.Round(10 * time.Second).String()
}

func replicaClockFinding(ahead clock.Difference) api.Finding {
	if !ahead.Matters() {
		return api.Fine("clocks", "This server's agrees with PostgreSQL's")
	}
	direction := " ahead of PostgreSQL's"
	if ahead.By < 0 {
		direction = " behind PostgreSQL's"
	}
	return api.Warning("clocks", "This machine's is about "+roundedWords(ahead.By.Abs())+direction,
		"All replicas go by PostgreSQL's, so nobody is counted wrongly, but the log has this machine's times. Have the clocks of both set:",
		"timedatectl set-ntp true")
}
