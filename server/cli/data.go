package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rollcall/store"
	"rollcall/store/sqldb"
)

const (
	defaultData  = "./data"
	databaseName = sqldb.FileName
)

// lockName is the file whose lock says that a server uses the folder. The operating system
// releases the lock with the process, however that ends; the file itself means nothing.
const lockName = "rollcall.lock"

// lockRetry is between two looks at a folder that another server has.
const lockRetry = 100 * time.Millisecond

var errServed = errors.New("another rollcall is already serving the data folder")

// lockFolder makes the calling server the folder's only one.
func lockFolder(folder string) (*flock.Flock, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, withHint(folder, fmt.Errorf("creating the data folder %s: %w", folder, withoutPath(err)))
	}
	lock := flock.New(filepath.Join(folder, lockName), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	switch {
	case err != nil:
		return nil, withHint(folder, fmt.Errorf("locking the data folder %s: %w", folder, withoutPath(err)))
	case !locked:
		return nil, errors.Join(fmt.Errorf("%w %s", errServed, folder), lock.Close())
	}
	return lock, nil
}

// withHint adds to an error about a data folder whose it is, where that may be the cause.
func withHint(folder string, err error) error {
	if err == nil {
		return nil
	}
	if hint := accessHint(folder); hint != "" {
		return fmt.Errorf("%w: %s", err, hint)
	}
	return err
}

// withoutPath shortens the error of a file operation where the path is told already.
func withoutPath(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// dataPlace is where the data is: in a folder, or in a PostgreSQL database.
type dataPlace struct {
	folder   string
	database databaseAddress
	file     string      // that holds the address of the database
	flag     *pflag.Flag // --data
}

func (p *dataPlace) register(flags *pflag.FlagSet) {
	flags.StringVar(&p.folder, "data", defaultData, "folder of the database")
	flags.Var(&p.database, "database", "address of a PostgreSQL database, instead of --data, such as postgres://user@host:5432/name; "+
		"flags can be seen by other users: give a password in the variable, in a file or in PGPASSWORD")
	flags.StringVar(&p.file, "database-file", "", "file that holds the address of the database")
	p.flag = flags.Lookup("data")
}

// check finds out which of the two it is. In a container ROLLCALL_DATA is always set: only the
// flag contradicts a database.
func (p *dataPlace) check() error {
	if p.file != "" && p.database.whole != "" {
		return usagef("--database and --database-file (or their variables) contradict each other; give one")
	}
	address := p.database.whole
	if p.file != "" {
		var err error
		if address, err = readSecretFile(p.file); err != nil {
			return err
		}
	}
	switch {
	case address == "" && p.folder == "":
		return usagef("--data must name a folder")
	case address == "":
		return nil
	case p.flag.Changed && p.flag.Annotations[fromAnnotation] == nil:
		return usagef("--data and --database (or its variable) contradict each other: the data is in a folder or in a PostgreSQL database; give one")
	}
	p.folder = ""
	return p.database.read(address)
}

// remote tells whether the data is in a PostgreSQL database. To be asked after check.
func (p *dataPlace) remote() bool { return p.database.parsed != nil }

// String names the place, without what is secret of its address.
func (p *dataPlace) String() string {
	if p.remote() {
		return p.database.String()
	}
	return p.folder
}

// hold makes the calling server the folder's only one. A database is shared by any number of them.
// It waits for another one to end, as where a new version is started before the old one has ended.
func (p *dataPlace) hold(ctx context.Context, wait time.Duration, log zerolog.Logger) (release func() error, err error) {
	if p.remote() {
		return func() error { return nil }, nil
	}
	lock, err := lockFolder(p.folder)
	if errors.Is(err, errServed) && wait > 0 {
		log.Info().Str("data", p.folder).Str("at_most", wait.String()).Msg("waiting for another server to let go of the data folder")
		for end := time.Now().Add(wait); errors.Is(err, errServed) && ctx.Err() == nil && time.Now().Before(end); {
			pause(ctx, lockRetry)
			lock, err = lockFolder(p.folder)
		}
	}
	if err != nil {
		return nil, err
	}
	return lock.Unlock, nil
}

// open opens the store there; what else there is to say about it stands in config.
func (p *dataPlace) open(ctx context.Context, config store.Config) (*store.Store, error) {
	if p.remote() {
		config.Database = p.database.parsed.String()
	} else {
		config.Path = p.folder
	}
	opened, err := store.Open(ctx, config)
	switch {
	case errors.Is(err, sqldb.ErrNoPostgres):
		return nil, usageError{sqldb.ErrNoPostgres}
	case errors.Is(err, sqldb.ErrNoData):
		return nil, fmt.Errorf("no data in %s", p)
	case errors.Is(err, sqldb.ErrOlderSchema):
		return nil, fmt.Errorf("opening the data in %s: %w. Only serve and restore upgrade it: stop the server first and start it by this version, "+
			"or use the server's version for this command", p, err)
	case errors.Is(err, sqldb.ErrFull):
		return nil, fmt.Errorf("opening the data in %s: the disk is full, or what its user may have of it is used up; make room, then start again (%w)", p, err)
	case errors.Is(err, sqldb.ErrDamaged):
		return nil, fmt.Errorf("opening the data in %s: %w. Keep a copy of the folder, and restore the latest backup: rollcall restore BACKUP", p, err)
	case err != nil:
		return nil, p.explain(fmt.Errorf("opening the data in %s: %w", p, err))
	}
	return opened, nil
}

// explain adds to an error about the data what this machine can tell of its cause.
func (p *dataPlace) explain(err error) error {
	if p.remote() {
		return err
	}
	return withHint(p.folder, err)
}

// localData are the settings of a command that works on the data, beside running servers or without one.
type localData struct {
	schema string
	place  dataPlace
}

func (o *localData) register(flags *pflag.FlagSet) { o.place.register(flags) }

// create opens the store, and makes it if there is none yet. It takes the rules of the server that
// used the data last: sessions must not be judged by other ones because of a missing flag.
func (o *localData) create(ctx context.Context) (*store.Store, error) {
	if err := o.place.check(); err != nil {
		return nil, err
	}
	return o.place.open(ctx, store.Config{Schema: o.schema})
}

// open opens a store that exists. A wrong folder is an error here: an empty answer from a new,
// empty database would look right.
func (o *localData) open(ctx context.Context) (*store.Store, error) {
	if err := o.place.check(); err != nil {
		return nil, err
	}
	if !o.place.remote() {
		if err := hasDatabase(o.place.folder); err != nil {
			return nil, err
		}
	}
	return o.place.open(ctx, store.Config{Schema: o.schema, Existing: true})
}

func hasDatabase(folder string) error {
	_, err := os.Stat(filepath.Join(folder, databaseName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no data in %s", folder)
	case err != nil:
		return withHint(folder, fmt.Errorf("reading the data folder %s: %w", folder, withoutPath(err)))
	}
	return nil
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
	case errors.Is(err, sqldb.ErrInvalid):
		return usageError{fmt.Errorf("%s: %w", subject, err)}
	case errors.Is(err, sqldb.ErrNotFound):
		return fmt.Errorf("there is no %s", subject)
	case errors.Is(err, store.ErrNameTaken):
		return fmt.Errorf("%s exists already", subject)
	case errors.Is(err, store.ErrLastAdmin):
		return fmt.Errorf("%s is the last admin: without it nobody could administer the panel", subject)
	}
	return fmt.Errorf("%s: %w", subject, err)
}
