package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/sqldb"
)

func newCleanup(schema string) *cobra.Command {
	folder := localData{schema: schema}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "End expired sessions and remove those past retention",
		Args:  arguments(),
		RunE: onStore(folder.open, func(cmd *cobra.Command, _ []string, opened *store.Store) error {
			now, err := timeAt(cmd.Context(), opened)
			if err != nil {
				return err
			}
			cleaned, err := opened.CleanupBy(cmd.Context(), now, store.ActorCLI)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(out(cmd), api.Cleanup{AffectedRows: cleaned.Ended, PurgedRows: cleaned.Purged})
			}
			_, err = fmt.Fprintf(out(cmd), "%d expired sessions ended, %d old rows removed\n", cleaned.Ended, cleaned.Purged)
			return err
		}),
	}
	folder.register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print how many as JSON")
	return cmd
}

// timeAt is the time that counts for what is in a store: that of its server, if it has one.
func timeAt(ctx context.Context, opened *store.Store) (time.Time, error) {
	now, err := opened.DB().ServerTime(ctx)
	if errors.Is(err, sqldb.ErrNotFound) {
		return time.Now(), nil
	}
	return now, err
}
