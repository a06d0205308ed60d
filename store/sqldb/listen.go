//go:build postgres

package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// listener is the connection that listens: how a replica learns of what others do,
// and that the server was away.
type listener struct {
	config      *pgx.ConnConfig
	self        atomic.Uint32 // server's process behind the connection that writes
	pooled      atomic.Bool   // somebody else stands between it and the server
	disconnects atomic.Int64  // how often the server was away
	timeline    string        // of commits that the server is on, as far as it tells
	timelines   atomic.Int64  // how often that was another one
}

const disconnectsKey = "rollcall losses"

// onReaderConnect notes which server a connection was made to, and has it only look. Asked
// for at the connecting, that would seem to be a server that takes no writes.
func (e *listener) onReaderConnect(ctx context.Context, conn *pgx.Conn) error {
	conn.PgConn().CustomData()[disconnectsKey] = e.disconnects.Load()
	_, err := conn.Exec(ctx, fmt.Sprint(`SET default_transaction_read_only = on; SET idle_in_transaction_session_timeout = `, txTimeout.Milliseconds()))
	return err
}

// checkReader lets go of the connections that a server had which is no more: else
// each of them would fail whoever is next to use it.
func (e *listener) checkReader(_ context.Context, conn *pgx.Conn) error {
	if conn.PgConn().CustomData()[disconnectsKey] != e.disconnects.Load() {
		return driver.ErrBadConn
	}
	return nil
}

// onWriterConnect notes which connection is the one that writes. The server is to give up
// its transaction where this process is frozen, or its machine lost, in the middle of one: all
// replicas wait for their turn to write until then.
func (e *listener) onWriterConnect(ctx context.Context, conn *pgx.Conn) error {
	pid, err := e.checkPooler(ctx, conn)
	if err != nil {
		return err
	}
	e.self.Store(pid)
	e.pooled.Store(pid != conn.PgConn().PID())
	_, err = conn.Exec(ctx, fmt.Sprint(`SET idle_in_transaction_session_timeout = `, frozenAfter.Milliseconds()))
	return err
}

// errTransactionMode is told where what is set or prepared in a session is lost with its transaction.
var errTransactionMode = errors.New("the pooler in front of PostgreSQL gives each transaction another session (PgBouncer: pool_mode = transaction); " +
	"Rollcall needs pool_mode = session, for what it sets, prepares and listens to, or an address without the pooler")

// backend returns which process of the server answers, past a pooler, too.
func backend(ctx context.Context, conn *pgx.Conn) (pid uint32, err error) {
	answers, err := conn.PgConn().Exec(ctx, `SELECT pg_backend_pid()`).ReadAll()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(answers[0].Rows[0][0]), 10, 32)
	return uint32(n), err
}

// checkPooler returns which process of the server is behind conn. Where a pooler stands
// between them, it has to keep sessions: two at once then never have the same one.
func (e *listener) checkPooler(ctx context.Context, conn *pgx.Conn) (pid uint32, err error) {
	if pid, err = backend(ctx, conn); err != nil || pid == conn.PgConn().PID() {
		return pid, err
	}
	other, err := pgx.ConnectConfig(ctx, e.config)
	if err != nil {
		return pid, err
	}
	defer other.Close(ctx)
	beside, err := backend(ctx, other)
	if err != nil {
		return pid, err
	}
	again, err := backend(ctx, conn)
	if err == nil && (beside == pid || again != pid) {
		err = errTransactionMode
	}
	return pid, err
}

// Waits of the listener.
const (
	listenAgain = 250 * time.Millisecond // after a connection was lost
	listenCheck = 15 * time.Second       // silence after which it makes sure that the connection lives
)

// listen calls woken whenever another transaction may have changed something:
// at a notification, and after it has begun to listen, because what happened
// before was not heard. Only the wake-up travels this way: what happened is read
// from the table, and so neither lost nor seen twice.
func (e *listener) listen(ctx context.Context, woken func()) {
	for ctx.Err() == nil {
		_ = e.listenOnce(ctx, woken) // whatever it was, it may be over: try again
		e.disconnects.Add(1)
		woken() // and let whoever reads notice what there is to notice
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

func (e *listener) listenOnce(ctx context.Context, woken func()) error {
	conn, err := pgx.ConnectConfig(ctx, e.config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var channel string
	if err := conn.QueryRow(ctx, `SELECT 'rollcall_' || 'changes'::regclass::oid`).Scan(&channel); err != nil {
		return err
	}
	if err := e.checkTimeline(ctx, conn, channel); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return err
	}
	for {
		woken()
		if err := e.next(ctx, conn); err != nil {
			return err
		}
	}
}

// checkTimeline notes whether the log is on another line of commits than before: that of a
// standby that took over, perhaps without the last ones, or of another database. The
// first digits of a log file's name are its server's timeline. What only speaks
// PostgreSQL's protocol may not have that; where the connection was lost, nothing is known.
func (e *listener) checkTimeline(ctx context.Context, conn *pgx.Conn, channel string) error {
	var timeline string
	err := conn.QueryRow(ctx, `SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)`).Scan(&timeline)
	if conn.IsClosed() || ctx.Err() != nil {
		return err
	}
	if line := channel + " " + timeline; line != e.timeline {
		e.timeline = line
		e.timelines.Add(1)
	}
	return nil
}

// next waits for one of another process. In long silence it asks whether the server is
// still there: a connection may be dead without a word.
func (e *listener) next(ctx context.Context, conn *pgx.Conn) error {
	for {
		quiet, cancel := context.WithTimeout(ctx, listenCheck)
		told, err := conn.WaitForNotification(quiet)
		silent := quiet.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil && told.PID == e.self.Load(): // this store knows what it has written
			continue
		case err == nil || !silent:
			return err
		}
		check, cancel := context.WithTimeout(ctx, connectTimeout)
		err = conn.Ping(check)
		cancel()
		if err != nil {
			return err
		}
	}
}
