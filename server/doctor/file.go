package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rollcall/server/api"
	"rollcall/store/sqldb"
)

// checkedAtOnce is up to how many bytes a database is checked whenever somebody asks: that takes a
// fraction of a second.
const checkedAtOnce = 64 << 20

// fileFindings tell of the database's file; none where the database is on a server.
func (d *Doctor) fileFindings(ctx context.Context) ([]api.Finding, error) {
	db := d.cfg.Store.DB()
	health, err := db.Health()
	if errors.Is(err, sqldb.ErrNotFound) {
		return nil, nil
	}
	usage, err := db.Usage(ctx)
	if err == nil && usage.Database <= checkedAtOnce && health.Damage == "" {
		health, err = db.Check(ctx)
	}
	if err != nil {
		return nil, err
	}
	return []api.Finding{d.damageFinding(health), heldLogFinding(usage, d.cfg.Data)}, nil
}

func (d *Doctor) damageFinding(health sqldb.Health) api.Finding {
	switch {
	case health.Damage != "":
		return damaged(health.Damage, d.onData("rollcall restore BACKUP"))
	case health.Checked.IsZero():
		return api.Fine("damage", "The database is read through within an hour of the start")
	}
	return api.Fine("damage", "The database was whole at "+when(health.Checked))
}

func damaged(what, restore string) api.Finding {
	return api.Problem("damage", "The database is damaged",
		"SQLite says: "+what+". Lists may fail or lack somebody, and the server ends when it has to write there. Stop it, keep a copy of the data folder, "+
			"look at the disk (its log, and smartctl), and put the latest backup in the place of the database:", restore)
}

// heldLogFinding tells of a log that could not be cut for a while, as the server tries.
func heldLogFinding(usage sqldb.Usage, folder string) api.Finding {
	if usage.LogHeld < heldLong {
		return api.Fine("log", sizeOfLog(usage.Log))
	}
	return heldLog(usage.Log, folder)
}

// heldLong is for how long somebody may hold the log before that is worth a line: a backup may take a while.
const heldLong = 5 * time.Minute

func sizeOfLog(bytes int64) string { return fmt.Sprintf("SQLite's log takes %d MB", bytes>>20) }

func heldLog(bytes int64, folder string) api.Finding {
	return api.Warning("log", sizeOfLog(bytes)+" and can not be cut",
		"Another program holds a transaction open on the database, such as an sqlite3 shell, a database browser or a copy that never ended. "+
			"Until it ends the log grows with each write, and slows reading. See who has the file open, and end what is not the server:",
		"fuser -v "+InShell(filepath.Join(folder, sqldb.FileName)))
}

// FileChecks reads all of the database in a folder, whether a server has it open or not.
func FileChecks(ctx context.Context, folder string) []api.Finding {
	path := filepath.Join(folder, sqldb.FileName)
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return nil // DataChecks tells of a folder that can not be looked at
	}
	found, err := sqldb.CheckFile(ctx, path)
	finding := api.Fine("damage", "The database is whole")
	switch {
	case err != nil:
		finding = api.Warning("damage", "Whether the database is whole could not be read",
			fmt.Sprintf("%v. Run this as the user of the server, on its machine:", err), "rollcall doctor --data "+InShell(folder))
	case found != "":
		finding = damaged(found, "rollcall restore BACKUP --data "+InShell(folder))
	}
	return []api.Finding{finding, logFinding(path, folder)}
}

// logFinding goes by the size alone: a log that can be cut never takes that much.
func logFinding(path, folder string) api.Finding {
	info, err := os.Stat(path + "-wal")
	switch {
	case err != nil:
		return api.Fine("log", sizeOfLog(0))
	case info.Size() > sqldb.LargeLog:
		return heldLog(info.Size(), folder)
	}
	return api.Fine("log", sizeOfLog(info.Size()))
}
