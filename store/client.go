package store

import (
	"database/sql"
	"errors"
	"time"

	"rollcall/store/sqldb"
)

// One token may be in use in several browsers, or in pages of several origins: clients, which do not
// hear of each other. Those that do not say who they are count as one, "". The goodbye of one takes a session
// offline only where no other client was heard of late. The one that was heard last stands in the session's row,
// NULL where it has left, the others in session_clients, so that a session of one client costs nothing.

// isLastClient is the condition that no other client than $2 was heard in the online window of session $1.
const isLastClient = `NOT (
	EXISTS (SELECT 1 FROM session_clients c WHERE c.session_id = $1 AND c.client <> $2 AND c.heard_at > $3 AND c.heard_at <= $4)
	OR EXISTS (SELECT 1 FROM user_sessions s WHERE s.id = $1 AND s.client <> $2 AND s.leaving_at IS NULL
		AND s.last_activity_at > $3 AND s.last_activity_at <= $4))`

// leave notes a goodbye, which is of the session where no other client was heard of late.
func (t *tx) leave(h *heartbeat, session tokenRef) (time.Time, error) {
	var expires int64
	err := t.Scan([]any{&expires}, `
		UPDATE user_sessions SET leaving_at = $5, refused_at = NULL
		WHERE id = $1 AND token_sha256 = $6 AND is_active = true AND expires_at > $7 AND `+isLastClient+` RETURNING expires_at`,
		session.id, h.client, h.Window, h.Future, h.Now, session.digest, h.Expiry)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.Scan([]any{&expires}, `
			UPDATE user_sessions SET client = CASE WHEN client = $2 THEN NULL ELSE client END
			WHERE id = $1 AND token_sha256 = $3 AND is_active = true AND expires_at > $4 RETURNING expires_at`,
			session.id, h.client, session.digest, h.Expiry)
	}
	if err == nil {
		err = t.forgetClient(h, session.id)
	}
	return sqldb.Time(expires), sqldb.Wrap("recording a goodbye", err)
}

// leaveEnded notes the goodbye of a page of a session that has ended: the next page has the grace to be heard of.
func (t *tx) leaveEnded(h *heartbeat, session int64) error {
	var last bool
	err := t.Scan([]any{&last}, `SELECT `+isLastClient, session, h.client, h.Window, h.Future)
	if err == nil && last {
		_, err = t.Exec(`UPDATE user_sessions SET refused_at = $2 WHERE id = $1 AND refused_at > $3`, session, leftNow(h.Cutoffs), h.Window)
	}
	if err == nil {
		_, err = t.Exec(`UPDATE user_sessions SET client = NULL WHERE id = $1 AND client = $2`, session, h.client)
	}
	if err == nil {
		err = t.forgetClient(h, session)
	}
	return sqldb.Wrap("recording a goodbye after the end", err)
}

func (t *tx) forgetClient(h *heartbeat, session int64) error {
	_, err := t.Exec(`DELETE FROM session_clients WHERE session_id = $1 AND client = $2`, session, h.client)
	return err
}

// changeClient has a session heard from another client than before, and keeps when the one before was,
// unless that has left. It returns sql.ErrNoRows where the session does not live.
func (t *tx) changeClient(h *heartbeat) error {
	var before *string
	err := t.Scan([]any{&before}, `
		SELECT CASE WHEN leaving_at IS NULL THEN client END FROM user_sessions
		WHERE id = $1 AND token_sha256 = $2 AND is_active = true AND expires_at > $3`, h.id, h.digest, h.Expiry)
	if err == nil && before != nil {
		_, err = t.Exec(`
			INSERT INTO session_clients (session_id, client, heard_at) SELECT id, client, last_activity_at FROM user_sessions WHERE id = $1
			ON CONFLICT (session_id, client) DO UPDATE SET heard_at = excluded.heard_at`, h.id)
	}
	if err == nil {
		_, err = t.Exec(`DELETE FROM session_clients WHERE session_id = $1 AND (client = $2 OR heard_at <= $3)`, h.id, h.client, h.Window)
	}
	if err == nil {
		_, err = t.Exec(`UPDATE user_sessions SET client = $2 WHERE id = $1`, h.id, h.client)
	}
	return err
}

// noteClient keeps when a client was heard of a session that has ended.
func (t *tx) noteClient(h *heartbeat, session int64) error {
	_, err := t.Exec(`
		INSERT INTO session_clients (session_id, client, heard_at) VALUES ($1, $2, $3)
		ON CONFLICT (session_id, client) DO UPDATE SET heard_at = excluded.heard_at`, session, h.client, h.Now)
	return err
}
