package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"rollcall/server/api"
	"rollcall/store/sqldb"
)

// disk is where a folder is kept.
type disk struct {
	Network string // the kind of network file system; "" for none, or where nobody can tell
	Free    uint64 // bytes that may still be written
}

// leastFree is what a server writes before it folds its log into the database.
const leastFree = 100 << 20

// DataChecks tells whether the folder of a database is on a disk that suits it, as
// far as this machine can tell. It opens nothing: that could drop SQLite's locks.
func DataChecks(folder string) []api.Finding {
	disk, err := diskOf(folder)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return []api.Finding{api.Problem("folder", "The data folder can not be looked at",
			fmt.Sprintf("%v. Run this as the user of the server, on its machine, with the folder that it uses:", err), "rollcall doctor --data FOLDER")}
	}
	return append([]api.Finding{networkFinding(folder, disk), roomFinding(disk, databaseSize(folder))}, permissionFindings(folder)...)
}

// permissionFindings tell of a folder that every user of the machine may change. Windows has no such bits.
func permissionFindings(folder string) []api.Finding {
	info, err := os.Stat(folder)
	if err != nil || runtime.GOOS == "windows" {
		return nil
	}
	if info.Mode().Perm()&0o002 == 0 {
		return []api.Finding{api.Fine("access", "Not everybody may write to the data folder")}
	}
	return []api.Finding{api.Problem("access", "Every user of this machine may write to the data folder",
		"They can put another database in the place of this one. Close it:", "chmod 700 "+InShell(folder))}
}

func databaseSize(folder string) (bytes uint64) {
	for _, name := range []string{sqldb.FileName, sqldb.FileName + "-wal"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err == nil {
			bytes += uint64(info.Size())
		}
	}
	return bytes
}

func networkFinding(folder string, disk disk) api.Finding {
	if disk.Network == "" {
		return api.Fine("folder", "The data folder is not on a network file system")
	}
	at := InShell(folder)
	return api.Problem("folder", "The data folder is on "+disk.Network+", where databases get damaged",
		"Locks and shared memory do not work there as SQLite needs them. (In Docker, a named volume is on a local disk, a folder of the host may not be.) Stop the server, move the data to a folder on a local disk, "+
			"and start it with that folder:",
		"rollcall backup --data "+at+" /var/tmp/rollcall-move.db",
		"rollcall restore --data "+newFolder+" /var/tmp/rollcall-move.db",
		"rollcall serve --data "+newFolder)
}

const newFolder = "/var/lib/rollcall"

func roomFinding(disk disk, used uint64) api.Finding {
	left := fmt.Sprintf("%d MB are free on the disk of the data", disk.Free>>20)
	switch {
	case disk.Free < leastFree:
		return api.Problem("room", "Only "+left, "On a full disk the server refuses logins and heartbeats until there is room again. Make some.")
	case disk.Free < used:
		return api.Warning("room", left+fmt.Sprintf(", which takes %d MB", used>>20),
			"There is no room for a backup beside the database, nor for the copy that erasing a person takes. Make some.")
	}
	return api.Fine("room", left)
}
