package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/store"
)

func newAudit(schema string) *cobra.Command {
	return group("audit", "Verify the audit log", newAuditVerify(schema))
}

func newAuditVerify(schema string) *cobra.Command {
	folder := localData{schema: schema}
	var heads []string
	var known []store.AuditHead
	cmd := &cobra.Command{
		Use:   "verify [--head NUMBER:HASH]",
		Short: "Tell where somebody changed the audit log behind Rollcall's back, and print its head",
		Long: "Reads all of the audit log and tells where its chain of hashes breaks. The head, which is printed alone on its line, stands for\n" +
			"all entries up to now: kept elsewhere and given with --head later, it shows whether they are still the same.",
		Args: arguments(),
		PreRunE: func(*cobra.Command, []string) error {
			for _, text := range heads {
				head, err := store.ParseAuditHead(text)
				if err != nil {
					return usagef("--head %s: %w", printable(text), err)
				}
				known = append(known, head)
			}
			return nil
		},
		RunE: onStore(folder.open, func(cmd *cobra.Command, _ []string, opened *store.Store) error {
			verdict, err := opened.VerifyAudit(cmd.Context(), known...)
			if err != nil {
				return err
			}
			for _, b := range verdict.Broken {
				if _, err := fmt.Fprintln(out(cmd), printable(breakWords(b))); err != nil {
					return err
				}
			}
			if len(verdict.Broken) > 0 {
				return errors.New("the audit log is not as it was written")
			}
			say(cmd, "The audit log is as it was written, %d entries. Its head:", verdict.Entries)
			_, err = fmt.Fprintln(out(cmd), verdict.Head)
			return err
		}),
	}
	folder.register(cmd.Flags())
	cmd.Flags().StringSliceVar(&heads, "head", nil, "head that was printed before and kept elsewhere; repeatable")
	return cmd
}

// breakWords are a line about a place where the log is not as it was written.
func breakWords(b store.AuditBreak) string {
	if b.Entry == 0 {
		return b.Words
	}
	return fmt.Sprintf("entry %d, of %s: %s", b.Entry, day(b.At), b.Words)
}
