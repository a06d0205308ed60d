package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rollcall/store"
)

func newCleanup(schema string) *cobra.Command {
	folder := offline{schema: schema}
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "End expired sessions and remove those past retention",
		Args:  arguments(),
		RunE: onStore(folder.open, func(cmd *cobra.Command, _ []string, opened *store.Store) error {
			cleaned, err := opened.CleanupBy(cmd.Context(), time.Now(), store.ActorCLI)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(out(cmd), "%d expired sessions ended, %d old rows removed\n", cleaned.Ended, cleaned.Purged)
			return err
		}),
	}
	folder.register(cmd.Flags())
	return cmd
}
