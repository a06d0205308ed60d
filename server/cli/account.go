package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/sqldb"
)

func newAccount(schema string) *cobra.Command {
	return group("account", "Manage who may sign in to the panel",
		newAccountCreate(schema), newAccountList(schema), newAccountDelete(schema), newAccountPassword(schema), newAccountTOTPReset(schema))
}

func newAccountCreate(schema string) *cobra.Command {
	folder := localData{schema: schema}
	var source passwordSource
	access := choice{"admin", []string{"admin", "viewer"}}
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create an account",
		Args:  arguments("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := source.read(cmd) // before the folder is made: asking may fail
			if err != nil {
				return err
			}
			return onStore(folder.create, func(cmd *cobra.Command, args []string, opened *store.Store) error {
				level, _ := store.ParseAccess(access.text) // one of the two that the flag takes
				account, err := opened.CreateAccount(cmd.Context(), time.Now(), store.ActorCLI, store.AccountInput{Name: args[0], Password: password, Access: level})
				if err != nil {
					return declined("account "+args[0], err)
				}
				say(cmd, "%s may sign in as %s.", account.Name, account.Access)
				return source.tell(cmd, password)
			})(cmd, args)
		},
	}
	folder.register(cmd.Flags())
	source.register(cmd.Flags())
	cmd.Flags().Var(&access, "access", "admin (sees and acts) or viewer (sees)")
	return cmd
}

func newAccountPassword(schema string) *cobra.Command {
	folder := localData{schema: schema}
	var source passwordSource
	cmd := &cobra.Command{
		Use:   "password NAME",
		Short: "Set an account's password and sign it out everywhere",
		Args:  arguments("NAME"),
		RunE: onStore(folder.open, func(cmd *cobra.Command, args []string, opened *store.Store) error {
			password, err := source.read(cmd)
			if err != nil {
				return err
			}
			if err := opened.SetPassword(cmd.Context(), time.Now(), store.ActorCLI, args[0], password); err != nil {
				return declined("account "+args[0], err)
			}
			say(cmd, "%s has a new password and is signed out everywhere.", args[0])
			return source.tell(cmd, password)
		}),
	}
	folder.register(cmd.Flags())
	source.register(cmd.Flags())
	return cmd
}

func newAccountList(schema string) *cobra.Command {
	folder := localData{schema: schema}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		Args:  arguments(),
		RunE: onStore(folder.open, func(cmd *cobra.Command, _ []string, opened *store.Store) error {
			accounts, err := opened.Accounts(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(out(cmd), api.AccountsOf(accounts))
			}
			rows := table{header: []string{"NAME", "ACCESS", "CREATED", "SIGNS IN BY"}}
			for _, account := range accounts {
				rows.add(account.Name, account.Access.String(), day(account.CreatedAt), signsInBy(account))
			}
			return rows.print(out(cmd), nil)
		}),
	}
	folder.register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the accounts as JSON")
	return cmd
}

func signsInBy(account store.Account) string {
	switch {
	case account.HasTOTP:
		return "password and code"
	case account.HasPassword:
		return "password"
	}
	return "nothing yet: invited"
}

// newAccountTOTPReset is for an owner who is locked out. Others an administrator helps, in the panel.
func newAccountTOTPReset(schema string) *cobra.Command {
	folder := localData{schema: schema}
	cmd := &cobra.Command{
		Use:   "totp-reset NAME",
		Short: "Remove an account's authenticator app and sign it out everywhere",
		Args:  arguments("NAME"),
		RunE: onStore(folder.open, func(cmd *cobra.Command, args []string, opened *store.Store) error {
			err := opened.ResetTOTP(cmd.Context(), time.Now(), store.ActorCLI, store.AccountID(args[0]))
			if errors.Is(err, sqldb.ErrNotFound) {
				return fmt.Errorf("there is no account %s with an authenticator app", args[0])
			}
			if err != nil {
				return declined("account "+args[0], err)
			}
			say(cmd, "%s signs in by the password alone, and is signed out everywhere.", args[0])
			return nil
		}),
	}
	folder.register(cmd.Flags())
	return cmd
}

func newAccountDelete(schema string) *cobra.Command {
	folder := localData{schema: schema}
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete an account and end its sessions",
		Args:  arguments("NAME"),
		RunE: onStore(folder.open, func(cmd *cobra.Command, args []string, opened *store.Store) error {
			if err := opened.DeleteAccount(cmd.Context(), time.Now(), store.ActorCLI, store.AccountID(args[0])); err != nil {
				return declined("account "+args[0], err)
			}
			say(cmd, "%s can no longer sign in.", args[0])
			return nil
		}),
	}
	folder.register(cmd.Flags())
	return cmd
}

// tell prints a password that nobody knows yet.
func (p *passwordSource) tell(cmd *cobra.Command, password string) error {
	if !p.generate {
		return nil
	}
	_, err := fmt.Fprintln(out(cmd), password)
	return err
}

// day is how listings write a moment: exactly enough to recognise it, the same in every time zone.
func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }
