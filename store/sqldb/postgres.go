//go:build postgres

package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// PostgresSchema is the text of postgres.sql, which makes everything in an empty schema.
//
//go:embed postgres.sql
var PostgresSchema string

//go:embed upgrade6_postgres.sql
var upgrade6Postgres string

//go:embed upgrade7_postgres.sql
var upgrade7Postgres string

const (
	postgresOldest  = 5 // version of the schema in the first release that knew PostgreSQL
	postgresReaders = 8 // connections of a replica that look, besides the one that writes and the one that listens
	connectTimeout  = 3 * time.Second
	lockTimeout     = 5 * time.Second // for a turn that another replica has
	txTimeout       = 8 * time.Second
	frozenAfter     = 2 * time.Second // without a word from who has a lock that others need
)

// Locks are of what needs a right to be locked: an advisory one, any role could keep that may connect.

const writeLock = `LOCK TABLE drain IN EXCLUSIVE MODE` // as take_turn in postgres.sql

// PostgresConfig is how every connection to the database at address is made. Its
// errors do not tell the password.
func PostgresConfig(address string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the database: %w", withoutSecret(err))
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	several := slices.ContainsFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.Host != config.Host || f.Port != config.Port })
	if several && !strings.Contains(address, "target_session_attrs=") { // a standby takes no writes
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	config.DialFunc = (&net.Dialer{Control: setTCPUserTimeout}).DialContext
	for name, value := range map[string]string{
		"application_name": "rollcall", "lock_timeout": fmt.Sprint(lockTimeout.Milliseconds()), "synchronous_commit": "on",
		"idle_session_timeout": "0", // replicas are idle at night
	} {
		if _, given := config.RuntimeParams[name]; !given { // such as synchronous_commit=remote_apply, which promises more
			config.RuntimeParams[name] = value
		}
	}
	setOnceConnected(&config.Config)
	return config, nil
}

// atStartup are the settings that a pooler takes from whoever connects, or that can not be set later.
var atStartup = []string{"application_name", "client_encoding", "options", "replication"}

// setOnceConnected has all other settings set by statements: PgBouncer refuses a connection
// that brings one it does not know.
func setOnceConnected(config *pgconn.Config) {
	var set []string
	for name, value := range config.RuntimeParams {
		if !slices.Contains(atStartup, name) {
			delete(config.RuntimeParams, name)
			set = append(set, fmt.Sprintf(`SELECT set_config(%s, %s, false)`, quoted(name), quoted(value)))
		}
	}
	statements := strings.Join(set, "; ")
	config.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		// A pooler takes whoever connects while its server is away, and has the first statement wait.
		ctx, cancel := context.WithTimeout(ctx, config.ConnectTimeout)
		defer cancel()
		return conn.Exec(ctx, statements).Close()
	}
}

// quoted is a text as a literal, whatever standard_conforming_strings says.
func quoted(text string) string {
	return ` E'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + `'`
}

// openPostgres makes ready for the database at cfg.Address; it connects when
// that is first needed.
func openPostgres(cfg Config) (*engine, error) {
	config, err := PostgresConfig(cfg.Address)
	if err != nil {
		return nil, err
	}
	e := &listener{config: config}
	write := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(e.onWriterConnect))
	write.SetMaxOpenConns(1)

	read := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(e.onReaderConnect), stdlib.OptionResetSession(e.checkReader))
	read.SetMaxOpenConns(postgresReaders)
	read.SetMaxIdleConns(postgresReaders)
	return &engine{
		write: write, read: read,
		schema: PostgresSchema, oldest: postgresOldest, steps: []string{foldedColumns(` COLLATE "C"`) + upgrade6Postgres + upgrade6, upgrade7People(` COLLATE "C"`, "") + upgrade7Postgres + upgrade7},
		tables:       `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()`,
		upgrade:      []string{`BEGIN`},
		lockSchema:   writeLock,
		madeByOther:  MadeByOther,
		begin:        []string{`BEGIN`, writeLock},
		snapshotOpts: &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
		isLarge:      func(ctx context.Context) bool { return largeSessions(ctx, read) },
		usage:        func(ctx context.Context) (Usage, error) { return measureTables(ctx, read) },
		rewrite:      vacuum,
		server: &server{
			txTimeout: txTimeout,
			listen:    e.listen,
			timeline:  e.timelines.Load,
			withCleanupTurn: func(ctx context.Context, wait bool, f func() error) error {
				return withCleanupTurn(ctx, read, wait, f)
			},
			checkRoom: func(ctx context.Context) error { return tableRoom(ctx, read) },
			info: func(ctx context.Context) (ServerInfo, error) {
				info, err := askServer(ctx, read)
				info.Pooled = e.pooled.Load()
				return info, err
			},
		},
	}, nil
}

// withoutSecret keeps a password out of what is told about a bad address.
func withoutSecret(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		parse.ConnString = "(not shown)"
	}
	return err
}

func largeSessions(ctx context.Context, db *sql.DB) bool {
	var bytes int64
	err := db.QueryRowContext(ctx, `SELECT pg_table_size('user_sessions')`).Scan(&bytes)
	return err == nil && bytes >= largeBytes
}

func measureTables(ctx context.Context, db *sql.DB) (Usage, error) {
	u := Usage{Log: -1}
	err := db.QueryRowContext(ctx, `
		SELECT SUM(pg_total_relation_size(c.oid)) FROM pg_class c
		WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace`).Scan(&u.Database)
	return u, Wrap("measuring the database", err)
}

// tableRoom makes a table of 1 MB, which is gone before anybody sees it. Two replicas that do so
// at once do not wait for each other.
func tableRoom(ctx context.Context, db *sql.DB) error {
	trial, err := db.BeginTx(ctx, nil)
	if err != nil {
		return Wrap("looking for room", err)
	}
	defer trial.Rollback()
	var name string
	_, err = trial.ExecContext(ctx, `SET TRANSACTION READ WRITE`)
	if err == nil {
		err = trial.QueryRowContext(ctx, `SELECT 'rollcall_room_' || pg_backend_pid()`).Scan(&name)
	}
	if err == nil {
		_, err = trial.ExecContext(ctx, `CREATE UNLOGGED TABLE `+name+` AS SELECT generate_series(1, 30000)`)
	}
	return Wrap("looking for room", err)
}

// askServer asks on a connection that reads: it has the settings of the one that writes.
func askServer(ctx context.Context, db *sql.DB) (b ServerInfo, err error) {
	err = db.QueryRowContext(ctx, `
		SELECT current_setting('fsync') = 'off', current_setting('synchronous_commit') = 'off',
			inet_server_addr() IS DISTINCT FROM inet_client_addr()
				AND NOT COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)`).Scan(&b.FsyncOff, &b.AsyncCommit, &b.Plaintext)
	return b, err
}

// vacuum is the rewrite of PostgreSQL. What its server keeps besides the tables,
// such as its own log and backups, is its operator's.
func vacuum(ctx context.Context, db *DB) error {
	tables, err := db.Texts(ctx, `SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename`)
	if err != nil {
		return err
	}
	if err := waitForOldSnapshots(ctx, db.read); err != nil {
		return err
	}
	return db.BetweenWrites(func(ctx context.Context, conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, `VACUUM (FULL) `+strings.Join(tables, ", "))
		return Wrap("rewriting the tables", err)
	})
}

// oldSnapshotQuery tells whether anybody may look at, or go back to, a state from before
// transaction $1, in whichever database of the server: what was deleted since, VACUUM
// would keep for them.
const oldSnapshotQuery = `
	WITH old AS (SELECT age($1::xid8::xid) AS age)
	SELECT EXISTS (SELECT 1 FROM pg_stat_activity, old WHERE pid <> pg_backend_pid() AND GREATEST(age(backend_xmin), age(backend_xid)) > old.age)
		OR EXISTS (SELECT 1 FROM pg_replication_slots, old WHERE age(xmin) > old.age)
		OR EXISTS (SELECT 1 FROM pg_prepared_xacts, old WHERE age(transaction) > old.age)`

// waitForOldSnapshots waits until nobody has a state from before now, other than for long.
func waitForOldSnapshots(ctx context.Context, db *sql.DB) error {
	var next string
	err := db.QueryRowContext(ctx, `SELECT pg_snapshot_xmax(pg_current_snapshot())::text`).Scan(&next)
	if err != nil {
		return Wrap("asking for the transactions", err)
	}
	return retryWhileBusy(ctx, func() error {
		var seen bool
		err := db.QueryRowContext(ctx, oldSnapshotQuery, next).Scan(&seen)
		if err == nil && seen {
			return ErrBusy
		}
		return Wrap("looking for old states", err)
	})
}

// withCleanupTurn holds the lock of the view cleanup_turn in a transaction of its own, so that it ends with
// the connection, whatever becomes of this process.
func withCleanupTurn(ctx context.Context, db *sql.DB, wait bool, f func() error) error {
	held, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer held.Rollback()
	if _, err := held.ExecContext(ctx, fmt.Sprint(`SET LOCAL idle_in_transaction_session_timeout = `, frozenAfter.Milliseconds())); err != nil {
		return err
	}
	if wait {
		_, err = held.ExecContext(ctx, takeCleanupTurn)
	} else {
		_, err = held.ExecContext(ctx, takeCleanupTurn+` NOWAIT`)
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "55P03" { // lock_not_available
			return nil
		}
	}
	if err != nil {
		return err
	}
	defer keepAlive(ctx, held)()
	return f()
}

// keepAlive has the server hear of a transaction in which nothing else is done, until stop is called.
func keepAlive(ctx context.Context, held *sql.Tx) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	asking.Go(func() {
		for tick := time.NewTicker(frozenAfter / 4); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				_, _ = held.ExecContext(ctx, `SELECT 1`) // a lock that is lost anyway is no failure of f
			}
		}
	})
	return func() { cancel(); asking.Wait() }
}

const takeCleanupTurn = `LOCK TABLE cleanup_turn IN EXCLUSIVE MODE`

// MadeByOther tells whether an error is that of making tables that somebody else has made since it was looked for them:
// their names are taken, and until then whoever makes them waits.
func MadeByOther(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains([]string{"42P07", "42710", "42723", "23505"}, refused.Code) // duplicate_table, _object, _function; unique_violation
}

// unconnected tells whether there was no connection, for whatever reason: the
// server may be away, or want another password now.
func unconnected(err error) bool {
	var connecting *pgconn.ConnectError
	return errors.As(err, &connecting)
}

// postgresKind returns which of the package's errors an error of PostgreSQL, or
// of the way to it, is; nil where it is none of them. See appendix A of its manual.
func postgresKind(err error) error {
	if unconnected(err) {
		return ErrUnavailable
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return stateKind(refused.Code)
	}
	var network net.Error
	switch {
	case errors.As(err, &network),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, pgconn.ErrConnClosed),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return ErrUnavailable
	}
	return nil
}

func stateKind(code string) error {
	switch code {
	case "53100": // disk_full
		return ErrFull
	case "40001", "40P01", "55P03", "57014": // serialization_failure, deadlock_detected, lock_not_available, query_canceled
		return ErrBusy
	case "25006", "25P03": // read_only_sql_transaction: a standby, until it is promoted; idle_in_transaction_session_timeout
		return ErrUnavailable
	case "22021": // character_not_in_repertoire
		return errUnstorable
	}
	switch code[:2] {
	case "08", "57", "53", "58", "XX": // connection, operator intervention, resources, system error, internal error
		return ErrUnavailable
	}
	return nil
}
