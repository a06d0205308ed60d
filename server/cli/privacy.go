package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/server"
	"rollcall/server/api"
	"rollcall/server/client"
)

func newExport() *cobra.Command {
	var server serverFlags
	var directory string
	cmd := &cobra.Command{
		Use:   "export USER",
		Short: "Print all that is held on a person, by their id, as JSON",
		Args:  arguments("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" {
				return usagef("export: USER must not be empty")
			}
			asked, err := server.client()
			if err != nil {
				return err
			}
			defer asked.Close()
			held, err := asked.Export(cmd.Context(), args[0], directory)
			if err != nil {
				return server.explain(err)
			}
			return writeJSON(out(cmd), held)
		},
	}
	server.register(cmd.Flags(), "admin")
	cmd.Flags().StringVar(&directory, "directory", "", directoryUsage)
	return cmd
}

// directoryUsage says what the flag is for of commands that take the id of a user.
const directoryUsage = "directory that the user is in, where several people have this id"

// eraseTimeout is as long as the server takes at most.
const eraseTimeout = server.EraseTime

func newErase() *cobra.Command {
	var server serverFlags
	var directory string
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use:   "erase USER",
		Short: "Remove all that is held on a person, by their id, for good",
		Args:  arguments("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" {
				return usagef("erase: USER must not be empty")
			}
			asked, err := server.client(client.WithTimeout(eraseTimeout))
			if err != nil {
				return err
			}
			defer asked.Close()
			if !yes {
				if err := confirmErase(cmd, args[0]); err != nil {
					return err
				}
			}
			gone, err := asked.Erase(cmd.Context(), args[0], directory)
			if err != nil {
				return server.explain(err)
			}
			if asJSON {
				return writeJSON(out(cmd), gone)
			}
			return printErased(cmd, args[0], gone)
		},
	}
	server.register(cmd.Flags(), "admin")
	cmd.Flags().StringVar(&directory, "directory", "", directoryUsage)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was removed as JSON")
	return cmd
}

// confirmErase has the id typed again.
func confirmErase(cmd *cobra.Command, id string) error {
	if !isTerminal(cmd.InOrStdin()) {
		return usagef("erase: this can not be undone; say --yes where nobody can be asked")
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "This removes all that is held on %s and can not be undone. Type the id again: ", printable(id))
	answer, err := askLine(cmd)
	if err != nil {
		fmt.Fprintln(cmd.ErrOrStderr())
	}
	if strings.TrimSpace(answer) != id {
		return errors.New("nothing was erased")
	}
	return nil
}

// askLine reads what is typed, "" for nothing, until Ctrl-C. A read can not be interrupted: it is
// left to itself, and ends with the process.
func askLine(cmd *cobra.Command) (line string, err error) {
	typed := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		typed <- text
	}()
	select {
	case line = <-typed:
		return line, nil
	case <-cmd.Context().Done():
		return "", cmd.Context().Err()
	}
}

func printErased(cmd *cobra.Command, id string, gone api.Erased) error {
	sessions := "sessions"
	if gone.Sessions == 1 {
		sessions = "session"
	}
	_, err := fmt.Fprintf(out(cmd), "Erased %s with %d %s.\n", printable(id), gone.Sessions, sessions)
	if !gone.Complete {
		say(cmd, "The files still have traces: somebody reads what was there before, as a backup does, or the disk is full. The server tries again every hour.")
	}
	return err
}
