package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/server/api"
	"rollcall/store"
)

func newKey(schema string) *cobra.Command {
	return group("key", "Manage the keys of applications",
		newKeyCreate(schema), newKeyList(schema), newKeyDelete(schema))
}

func newKeyCreate(schema string) *cobra.Command {
	folder := localData{schema: schema}
	var app, directory string
	var names []string
	var scopes store.Scopes
	cmd := &cobra.Command{
		Use:   "create --app NAME --scope sessions,read,admin",
		Short: "Create a key and print it, alone on its line",
		Args:  arguments(),
		PreRunE: func(*cobra.Command, []string) (err error) {
			switch {
			case app == "":
				return usagef("--app is missing: the name of the application that will use the key")
			case len(names) == 0:
				return usagef("--scope is missing: sessions (report logins), read (see who is online), admin (everything)")
			}
			if scopes, err = store.ParseScopes(names); err != nil {
				return usagef("--scope %s: %w", strings.Join(names, ","), err)
			}
			return nil
		},
		RunE: onStore(folder.create, func(cmd *cobra.Command, _ []string, opened *store.Store) error {
			key, secret, err := opened.CreateKey(cmd.Context(), time.Now(), store.ActorCLI, app, directory, scopes)
			if err != nil {
				return declined("key of "+app, err)
			}
			people := ""
			if key.SharesDirectory() {
				people = " and the people of the directory " + printable(key.Directory)
			}
			say(cmd, "Key %d of %s, with the scopes %s%s. It is shown only now:", key.ID, printable(key.App), key.Scopes, people)
			_, err = fmt.Fprintln(out(cmd), secret)
			return err
		}),
	}
	folder.register(cmd.Flags())
	cmd.Flags().StringVar(&app, "app", "", "application that the key belongs to")
	cmd.Flags().StringVar(&directory, "directory", "", "that the people of the application are in, where it has them in common with others; by default the application's own")
	cmd.Flags().StringSliceVar(&names, "scope", nil, "what the key may do: sessions, read, admin")
	return cmd
}

func newKeyList(schema string) *cobra.Command {
	folder := localData{schema: schema}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys, without their secrets",
		Args:  arguments(),
		RunE: onStore(folder.open, func(cmd *cobra.Command, _ []string, opened *store.Store) error {
			keys, err := opened.Keys(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(out(cmd), api.KeysOf(keys))
			}
			rows := table{header: []string{"ID", "APP", "SCOPES", "CREATED"}}
			shared := slices.ContainsFunc(keys, store.Key.SharesDirectory)
			if shared {
				rows.header = append(rows.header, "DIRECTORY")
			}
			for _, key := range keys {
				cells := []string{strconv.FormatInt(key.ID, 10), key.App, key.Scopes.String(), day(key.CreatedAt)}
				if shared {
					cells = append(cells, key.Directory)
				}
				rows.add(cells...)
			}
			return rows.print(out(cmd), nil)
		}),
	}
	folder.register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the keys as JSON")
	return cmd
}

func newKeyDelete(schema string) *cobra.Command {
	folder := localData{schema: schema}
	var endSessions bool
	cmd := &cobra.Command{
		Use:   "delete ID",
		Short: "Delete a key: its next request is refused",
		Long: "Deletes a key: its next request is refused. Sessions that it reported have no more access, and end if they had some.\n" +
			"Asks whether the others are to end too, or takes --end-sessions.",
		Args: arguments("ID"),
		RunE: onStore(folder.open, func(cmd *cobra.Command, args []string, opened *store.Store) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usagef("%q is not the id of a key (see rollcall key list)", args[0])
			}
			if !endSessions {
				if endSessions, err = askEndSessions(cmd, opened, id); err != nil {
					return declined("key "+args[0], err)
				}
			}
			ended, err := opened.DeleteKey(cmd.Context(), time.Now(), store.ActorCLI, id, endSessions)
			if err != nil {
				return declined("key "+args[0], err)
			}
			say(cmd, "Key %s is deleted.", args[0])
			if ended > 0 {
				say(cmd, "%d sessions that it reported ended.", ended)
			}
			return nil
		}),
	}
	folder.register(cmd.Flags())
	cmd.Flags().BoolVar(&endSessions, "end-sessions", false, "end all sessions that it reported, not only those with access")
	return cmd
}

// askEndSessions asks on a terminal whether the sessions of a key are to end. Where nobody can be asked, they are not.
func askEndSessions(cmd *cobra.Command, opened *store.Store, key int64) (bool, error) {
	n, err := opened.KeySessions(cmd.Context(), time.Now(), key)
	if err != nil || n.All == n.WithAccess || !isTerminal(cmd.InOrStdin()) {
		return false, err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "It reported %d active sessions; the %d with access end in any case. End all of them? [y/N] ", n.All, n.WithAccess)
	answer, err := askLine(cmd)
	return strings.EqualFold(strings.TrimSpace(answer), "y"), err
}
