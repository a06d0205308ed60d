package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rollcall/store/sqldb"
	"rollcall/store/transfer"
)

// copying are the flags of copy.
type copying struct {
	from   string
	to     databaseAddress
	file   string // that holds the address
	asJSON bool
}

func newCopy() *cobra.Command {
	var c copying
	cmd := &cobra.Command{
		Use:   "copy",
		Short: "Copy the data from a folder to a PostgreSQL database",
		Long: "Copies everything from a data folder to a PostgreSQL database, and compares\n" +
			"every row. Sessions, accounts, keys and history go on there: nobody has to log\n" +
			"in again.\n\n" +
			"No server may use the folder meanwhile. It is not changed, so it can be gone\n" +
			"back to until the new database is in use. The database must be empty. All is\n" +
			"one transaction: where anything interrupts the copy, the database stays empty,\n" +
			"and the same command starts again. It takes a rollcall that was built with\n" +
			"PostgreSQL: go build -tags postgres.",
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&c.from, "from", defaultData, "folder to copy from")
	flags.Var(&c.to, "to", "address of the PostgreSQL database, such as postgres://user@host:5432/name; flags can be seen by other users: "+
		"give a password in the variable, in a file or in PGPASSWORD")
	flags.StringVar(&c.file, "to-file", "", "file that holds the address")
	flags.BoolVar(&c.asJSON, "json", false, "print the tables as JSON")
	// The same variables as of the server before and after.
	for flag, twin := range map[string]string{"from": "DATA", "to": "DATABASE", "to-file": "DATABASE_FILE"} {
		setEnvVar(flags.Lookup(flag), envPrefix+twin)
	}
	return cmd
}

// address reads where to copy to.
func (c *copying) address() (string, error) {
	address := c.to.whole
	switch {
	case c.file != "" && address != "":
		return "", usagef("--to and --to-file (or their variables) contradict each other; give one")
	case c.file != "":
		var err error
		if address, err = readSecretFile(c.file); err != nil {
			return "", err
		}
	case address == "":
		return "", usagef("copy: --to is missing: the address of a PostgreSQL database")
	}
	if c.to.read(address) != nil {
		return "", usagef("--to must be like postgres://user@host:5432/name, where other than letters and digits of a password are written like %%2F")
	}
	return c.to.parsed.String(), nil
}

func (c *copying) run(cmd *cobra.Command) (err error) {
	if c.from == "" {
		return usagef("--from must name a folder")
	}
	address, err := c.address()
	if err != nil {
		return err
	}
	if err := hasDatabase(c.from); err != nil {
		return err
	}
	lock, err := lockFolder(c.from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	shown := copyDisplay{screen: cmd.ErrOrStderr()}
	began := time.Now()
	done, err := transfer.Copy(cmd.Context(), transfer.Options{Folder: c.from, Database: address, Progress: shown.show})
	shown.clear()
	switch {
	case errors.Is(err, sqldb.ErrNoPostgres):
		return usageError{sqldb.ErrNoPostgres}
	case cmd.Context().Err() != nil && err != nil && !errors.Is(err, transfer.ErrCommitUnknown):
		return errors.New("stopped; nothing was copied, and the same command starts again")
	case err != nil:
		return fmt.Errorf("copying %s to %s: %w", c.from, &c.to, err)
	}
	if err := c.report(cmd, done, time.Since(began)); err != nil {
		return err
	}
	say(cmd, "Start the server with --database instead of --data. %s is as it was.", c.from)
	return nil
}
