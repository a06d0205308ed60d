package cli

import (
	"github.com/spf13/cobra"

	"rollcall/store/backup"
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
			return nil
		},
	}
	folder.register(cmd.Flags())
	return cmd
}
