package cli

import (
	"github.com/spf13/cobra"

	"rollcall/store"
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
			return usageError{store.ErrNoBackup}
		},
		RunE: onStore(folder.open, func(cmd *cobra.Command, args []string, opened *store.Store) error {
			if err := opened.Backup(cmd.Context(), args[0]); err != nil {
				return err
			}
			say(cmd, "The database is in %s.", args[0])
			return nil
		}),
	}
	folder.register(cmd.Flags())
	return cmd
}
