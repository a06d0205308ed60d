//go:build postgres

package store

import (
	"context"
	"database/sql"
	"math/rand/v2"
)

// marks are left by the transactions of one replica: by them it knows, where the
// connection was lost at a commit, whether that took place. The transaction's own
// number (pg_xact_status) would not do: of one that a crash of the server undid
// it may be given to the next.
type marks struct {
	replica int64
	last    int64
}

func newMarks() *marks { return &marks{replica: rand.Int64()} }

// leave marks the transaction that conn is in.
func (m *marks) leave(ctx context.Context, conn *sql.Conn) (int64, error) {
	if m.last == 0 { // those of replicas that are long gone
		if _, err := conn.ExecContext(ctx, `DELETE FROM replica_marks WHERE at < now() - INTERVAL '1 day'`); err != nil {
			return 0, err
		}
	}
	m.last++
	_, err := conn.ExecContext(ctx, `
		INSERT INTO replica_marks (replica, mark, at) VALUES ($1, $2, now())
		ON CONFLICT (replica) DO UPDATE SET mark = excluded.mark, at = excluded.at`, m.replica, m.last)
	return m.last, err
}

// found tells whether the transaction of that mark, which was the last of this
// replica, has been committed. It waits for the turn that the transaction has
// until it is over: the server may not have noticed that nobody waits for it.
func (m *marks) found(ctx context.Context, conn *sql.Conn, mark int64) (yes bool, err error) {
	turn, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer turn.Rollback()
	if _, err := turn.ExecContext(ctx, writeLock); err != nil {
		return false, err
	}
	err = turn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM replica_marks WHERE replica = $1 AND mark = $2)`, m.replica, mark).Scan(&yes)
	return yes, err
}
