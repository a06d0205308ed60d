package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"rollcall/store/backup"
	"rollcall/store/sqldb"
)

func newRestore(schema string) *cobra.Command {
	folder := localData{schema: schema}
	var endSessions bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the database, while no server runs",
		Long: "Puts a backup in the place of the database of the data folder, upgraded where it is older.\n" +
			"No server, and no other program, may have the database open. It is kept beside the new one.",
		Args: arguments("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return restore(cmd, folder, args[0], endSessions) },
	}
	folder.register(cmd.Flags())
	cmd.Flags().BoolVar(&endSessions, "end-sessions", false, "end all sessions: who was logged in when the backup was made has to log in again")
	return cmd
}

func restore(cmd *cobra.Command, folder localData, file string, endSessions bool) (err error) {
	if err := folder.place.check(); err != nil {
		return err
	}
	if folder.place.remote() {
		return usagef("a database on a PostgreSQL server is restored by its own means, such as pg_restore, while no rollcall runs")
	}
	data := folder.place.folder
	lock, err := lockFolder(data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if err := backup.CopyOwner(filepath.Join(data, lockName), filepath.Join(data, databaseName), data); err != nil {
		return fmt.Errorf("giving the lock to the owner of the data: %w", err)
	}
	done, err := backup.Restore(cmd.Context(), time.Now(), backup.Restoration{
		File: file, Folder: data, Schema: folder.schema, EndSessions: endSessions})
	if errors.Is(err, sqldb.ErrBusy) {
		return fmt.Errorf("another program has the database in %s open; end it first", data)
	}
	if err != nil {
		return err
	}
	say(cmd, "The database in %s is that of %s.", data, file)
	if endSessions {
		say(cmd, "%d sessions ended.", done.Ended)
	}
	if done.Before != "" {
		say(cmd, "What was there before is in %s.", done.Before)
	}
	return nil
}
