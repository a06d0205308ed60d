package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rollcall/server/api"
)

func newKick() *cobra.Command {
	var server serverFlags
	var which api.Revocation
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "kick USER",
		Short: "End all sessions of a user, by their id",
		Args:  arguments("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if which.User = args[0]; which.User == "" {
				return usagef("kick: USER must not be empty")
			}
			asked, err := server.client()
			if err != nil {
				return err
			}
			defer asked.Close()
			done, err := asked.RevokeAll(cmd.Context(), which)
			if err != nil {
				return server.explain(err)
			}
			if asJSON {
				err = writeJSON(out(cmd), done)
			} else if done.Count > 0 {
				err = printKick(out(cmd), which.User, done)
			}
			if err == nil && done.Count == 0 {
				err = errors.New("nobody with this id is logged in")
			}
			return err
		},
	}
	flags := cmd.Flags()
	server.register(flags, "admin")
	flags.StringVar(&which.Directory, "directory", "", directoryUsage)
	flags.StringVar(&which.App, "app", "", "only sessions of this application")
	flags.StringVar(&which.Note, "note", "", "what to keep with the sessions, such as the reason")
	flags.BoolVar(&which.DryRun, "dry-run", false, "end nothing, only show which sessions would")
	flags.BoolVar(&asJSON, "json", false, "print how many and the latest 20 as JSON")
	return cmd
}

// printKick says what was done, then to which sessions: those that the server found just before, so
// that a login in between is counted and not among them, and a logout is among them and not counted.
func printKick(w io.Writer, id string, done api.Revoked) error {
	verb, noun := "Ended", "sessions"
	if done.DryRun {
		verb = "Would end"
	}
	if done.Count == 1 {
		noun = "session"
	}
	name := id
	if len(done.Sample) > 0 {
		name = cmp.Or(done.Sample[0].User.Name, id)
	}
	if _, err := fmt.Fprintf(w, "%s %d %s of %s.\n", verb, done.Count, noun, printable(name)); err != nil || len(done.Sample) == 0 {
		return err
	}
	rows := table{header: []string{"APP", "STATE", "SINCE", "LAST", "ADDRESS", "PAGE"}, fit: columns(w)}
	for _, session := range done.Sample {
		rows.add(session.App, string(session.State), since(session.SessionStartedAt, done.Timestamp), ago(session.LastActivityAt, done.Timestamp),
			session.IPAddress, session.Page)
	}
	if err := rows.print(w, nil); err != nil || int64(len(done.Sample)) >= done.Count {
		return err
	}
	_, err := fmt.Fprintf(w, "and %d more\n", done.Count-int64(len(done.Sample)))
	return err
}
