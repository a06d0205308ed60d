package cli

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"rollcall/store"
	"rollcall/store/backup"
	"rollcall/store/sqldb"
)

func newBackup(schema string) *cobra.Command {
	folder := localData{schema: schema}
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a complete copy of the database to a new file",
		Args:  arguments("FILE"),
		PreRunE: func(*cobra.Command, []string) error {
			if err := folder.place.check(); err != nil || !folder.place.remote() {
				return err
			}
			return usagef("a database on a PostgreSQL server is backed up by its own means, such as pg_dump")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := hasDatabase(folder.place.folder); err != nil {
				return err
			}
			if err := backup.Write(cmd.Context(), folder.place.folder, args[0]); err != nil {
				return folder.place.explain(err)
			}
			say(cmd, "The database is in %s.", args[0])
			return recordBackup(cmd, folder)
		},
	}
	folder.register(cmd.Flags())
	return cmd
}

// recordBackup says in the audit log that there is a copy. One of an older version is only read.
func recordBackup(cmd *cobra.Command, folder localData) error {
	opened, err := folder.open(cmd.Context())
	if errors.Is(err, sqldb.ErrOlderSchema) {
		return nil
	}
	if err == nil {
		err = errors.Join(opened.Record(cmd.Context(), time.Now(), store.AuditEvent{Actor: store.ActorCLI, Action: "database.backup"}), opened.Close())
	}
	if err != nil {
		say(cmd, "The audit log does not say so: %v", err)
	}
	return nil
}
