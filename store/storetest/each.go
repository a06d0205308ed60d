//go:build postgres

package storetest

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// UpdateEach has an UPDATE and a transaction for each heartbeat, over a pool of
// connections, with a trigger that extends the session: the design that
// Rollcall's took the place of. It is here to be measured beside it.
type UpdateEach struct {
	db   *sql.DB
	beat *sql.Stmt
}

const updateEachSchema = `
	CREATE SCHEMA IF NOT EXISTS each;
	CREATE TABLE IF NOT EXISTS each.user_sessions (
		id               SERIAL PRIMARY KEY,
		user_id          INTEGER,
		session_token    VARCHAR(255) NOT NULL UNIQUE,
		ip_address       VARCHAR(45),
		user_agent       TEXT,
		is_active        BOOLEAN NOT NULL DEFAULT true,
		last_activity_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
		created_at       TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
		expires_at       TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP + INTERVAL '24 hours'
	);
	CREATE INDEX IF NOT EXISTS user_sessions_user ON each.user_sessions (user_id);
	CREATE INDEX IF NOT EXISTS user_sessions_activity ON each.user_sessions (last_activity_at);
	CREATE INDEX IF NOT EXISTS user_sessions_expiry ON each.user_sessions (expires_at);
	CREATE OR REPLACE FUNCTION each.extend_session_expiration() RETURNS TRIGGER LANGUAGE plpgsql AS $$
	BEGIN
		NEW.expires_at := NEW.last_activity_at + INTERVAL '24 hours';
		RETURN NEW;
	END $$;
	CREATE OR REPLACE TRIGGER extend_session_expiration BEFORE UPDATE OF last_activity_at ON each.user_sessions
	FOR EACH ROW EXECUTE FUNCTION each.extend_session_expiration();`

// OpenUpdateEach makes ready for it in a schema of its own beside that of s.
func OpenUpdateEach(ctx context.Context, s *Server, connections int) (*UpdateEach, error) {
	db, err := sql.Open("pgx", s.URL("each"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	u := &UpdateEach{db: db}
	if _, err = db.ExecContext(ctx, updateEachSchema); err == nil {
		u.beat, err = db.PrepareContext(ctx, `
			UPDATE user_sessions SET last_activity_at = CURRENT_TIMESTAMP
			WHERE session_token = $1 AND is_active = true AND expires_at > CURRENT_TIMESTAMP RETURNING id, expires_at`)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return u, nil
}

// Begin begins a session for each token.
func (u *UpdateEach) Begin(ctx context.Context, tokens ...string) error {
	_, err := u.db.ExecContext(ctx, `
		INSERT INTO user_sessions (session_token, ip_address, user_agent)
		SELECT token, '192.0.2.7', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
		FROM unnest($1::text[]) token`, tokens)
	return err
}

// Beat records a heartbeat, and returns the session's id and its end.
func (u *UpdateEach) Beat(ctx context.Context, token string) (id int64, expires time.Time, err error) {
	err = u.beat.QueryRowContext(ctx, token).Scan(&id, &expires)
	return id, expires, err
}

// Version is that of the server.
func (u *UpdateEach) Version(ctx context.Context) (version string, err error) {
	err = u.db.QueryRowContext(ctx, `SHOW server_version`).Scan(&version)
	return version, err
}

// Close closes the connections.
func (u *UpdateEach) Close() error { return u.db.Close() }
