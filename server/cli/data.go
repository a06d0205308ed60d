package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rollcall/store"
)

const (
	defaultData  = "./data"
	databaseName = store.FileName
)

// lockName is the file whose lock says that a server uses the folder. The operating system
// releases the lock with the process, however that ends; the file itself means nothing.
const lockName = "rollcall.lock"

// lockFolder makes the calling server the folder's only one.
func lockFolder(folder string) (*flock.Flock, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("creating the data folder %s: %w", folder, withoutPath(err))
	}
	lock := flock.New(filepath.Join(folder, lockName), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	switch {
	case err != nil:
		return nil, fmt.Errorf("locking the data folder %s: %w", folder, withoutPath(err))
	case !locked:
		return nil, fmt.Errorf("another rollcall is already serving the data folder %s", folder)
	}
	return lock, nil
}

// withoutPath shortens the error of a file operation where the path is told already.
func withoutPath(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// offline are the settings of a command that works on the data folder, beside a running server or without one.
type offline struct {
	schema string
	data   string
}

func (o *offline) register(flags *pflag.FlagSet) {
	flags.StringVar(&o.data, "data", defaultData, "folder of the database")
}

// create opens the store, and makes it if there is none yet. It takes the rules of the server that
// used the folder last: sessions must not be judged by other ones because of a missing flag.
func (o *offline) create(ctx context.Context) (*store.Store, error) {
	if o.data == "" {
		return nil, usagef("--data must name a folder")
	}
	return openStore(ctx, store.Config{Path: o.data, Schema: o.schema})
}

// open opens a store that exists. A wrong folder is an error here: an empty answer from a new,
// empty database would look right.
func (o *offline) open(ctx context.Context) (*store.Store, error) {
	_, err := os.Stat(filepath.Join(o.data, databaseName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("no data in %s", o.data)
	case err != nil:
		return nil, fmt.Errorf("reading the data folder %s: %w", o.data, withoutPath(err))
	}
	return o.create(ctx)
}

func openStore(ctx context.Context, config store.Config) (*store.Store, error) {
	opened, err := store.Open(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening the data in %s: %w", config.Path, err)
	}
	return opened, nil
}

// onStore returns a command's run function that works on the opened store and closes it.
func onStore(open func(context.Context) (*store.Store, error), work func(*cobra.Command, []string, *store.Store) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		opened, err := open(cmd.Context())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, opened.Close()) }()
		return work(cmd, args, opened)
	}
}

// declined says in words what the store refused about subject, such as "account ann".
func declined(subject string, err error) error {
	switch {
	case errors.Is(err, store.ErrInvalid):
		return usageError{fmt.Errorf("%s: %w", subject, err)}
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("there is no %s", subject)
	case errors.Is(err, store.ErrNameTaken):
		return fmt.Errorf("%s exists already", subject)
	case errors.Is(err, store.ErrLastAdmin):
		return fmt.Errorf("%s is the last admin: without it nobody could administer the panel", subject)
	}
	return fmt.Errorf("%s: %w", subject, err)
}
