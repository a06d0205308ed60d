package store

import (
	"database/sql"
	"slices"

	"rollcall/store/sqldb"
)

// bulkUnchanged and bulkChanged are the two updates of touch for many heartbeats in one
// statement, and with it what their answers say. Heartbeats in one statement do not see each
// other, so that two of one person always count as a change.
var (
	bulkUnchanged = `UPDATE user_sessions s SET last_activity_at = b.at, idle_ms = b.idle, expires_at = GREATEST(b.until, s.expires_at)` + fromHeartbeats + `
		AND s.heard = true AND s.page = COALESCE(b.page, s.page) AND (s.idle_ms >= b.idle_after) = (b.until IS NULL) AND s.leaving_at IS NULL
		AND s.last_activity_at > b.silence AND s.last_activity_at <= b.ahead AND s.client = b.client
		AND NOT ` + otherActive + `(o.id = ANY ($1) OR ` + overtakes("b.at - b.idle") + `))` + returningExpiry
	bulkChanged = `UPDATE user_sessions s SET last_activity_at = b.at, heard = true, idle_ms = b.idle, expires_at = GREATEST(b.until, s.expires_at),
		page = COALESCE(b.page, s.page), leaving_at = NULL, client = b.client` + fromHeartbeats + returningExpiry
)

const (
	fromHeartbeats = `
		FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::boolean[],
				$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[])
			AS b (id, digest, at, idle, until, page, whose, idle_after, expiry, silence, ahead, client)
		WHERE s.id = b.id AND s.token_sha256 = b.digest AND s.is_active = true AND s.expires_at > b.expiry
			AND COALESCE(s.client, b.client) = b.client`
	returningExpiry = `
		RETURNING s.id, s.expires_at, s.app, s.organization_id, CASE WHEN b.whose THEN (SELECT role FROM users WHERE id = s.user_id) ELSE '' END`
)

// DoneIn tells whether RunBulk has recorded this heartbeat.
func (h *heartbeat) DoneIn(t *sqldb.Tx) bool { return h.recordedIn == t }

// RunBulk records heartbeats where the database takes many as one statement: first those of
// which nobody can see a difference, then the others; those whose tokens are unknown are refused. Those of
// sessions that have ended are left to be recorded one by one, as are further ones of the same session and those of another client
// than before.
func (h *heartbeat) RunBulk(t *sqldb.Tx, bulk []sqldb.Bulk) error {
	if h.store.beats != nil {
		return h.store.runQuiet(t, bulk)
	}
	var waiting []*heartbeat
	once := map[int64]bool{}
	for _, b := range bulk {
		if h := b.(*heartbeat); !once[h.id] {
			once[h.id] = true
			waiting = append(waiting, h)
		}
	}
	waiting, err := recordBulk(t, bulkUnchanged, waiting, true)
	if err == nil && len(waiting) > 0 {
		waiting, err = recordBulk(t, bulkChanged, waiting, false)
	}
	if err == nil && len(waiting) > 0 {
		err = refuseUnknown(t, waiting)
	}
	return sqldb.Wrap("recording heartbeats", err)
}

// recordBulk runs a statement for many heartbeats and returns those that it did not apply to.
func recordBulk(t *sqldb.Tx, statement string, beats []*heartbeat, unchanged bool) (left []*heartbeat, err error) {
	var all heartbeatColumns
	by := map[int64]*heartbeat{}
	for _, h := range beats {
		all.add(h)
		by[h.id] = h
	}
	err = t.Each(func(rows *sql.Rows) error {
		var id, expires int64
		var m Member
		if err := rows.Scan(&id, &expires, &m.App, &m.OrganizationID, &m.Role); err != nil {
			return err
		}
		h := by[id]
		h.recordedIn, h.unchanged, h.result.ExpiresAt = t, unchanged, sqldb.Time(expires)
		if h.wantMember {
			h.result.Member = m
		}
		return nil
	}, statement, all.ids, all.digests, all.at, all.idle, all.until, all.pages, all.whose, all.idleAfter, all.expiry, all.silence, all.ahead, all.clients)
	return slices.DeleteFunc(beats, func(h *heartbeat) bool { return h.recordedIn == t }), err
}

// refuseUnknown refuses those of heartbeats whose tokens nobody has or had.
func refuseUnknown(t *sqldb.Tx, beats []*heartbeat) error {
	ids, digests, by := []int64{}, [][]byte{}, map[int64]*heartbeat{}
	for _, h := range beats {
		ids, digests, by[h.id] = append(ids, h.id), append(digests, h.digest), h
	}
	return t.Each(func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		if h := by[id]; h != nil {
			h.refuseUnknown(t)
		}
		return err
	}, `SELECT b.id FROM unnest($1::bigint[], $2::bytea[]) AS b (id, digest)
		WHERE NOT EXISTS (SELECT 1 FROM user_sessions s WHERE s.id = b.id AND s.token_sha256 = b.digest)
			AND NOT EXISTS (SELECT 1 FROM session_tokens k WHERE k.id = b.id AND k.token_sha256 = b.digest)`, ids, digests)
}

// heartbeatColumns are heartbeats column by column, as arrays for one statement.
type heartbeatColumns struct {
	ids, at, idle                     []int64
	until                             []*int64
	digests                           [][]byte
	pages                             []*string
	clients                           []string
	whose                             []bool
	idleAfter, expiry, silence, ahead []int64
}

func (all *heartbeatColumns) add(h *heartbeat) {
	all.ids, all.digests = append(all.ids, h.id), append(all.digests, h.digest)
	all.at, all.idle, all.until = append(all.at, h.Now), append(all.idle, h.idle), append(all.until, h.end)
	all.pages, all.whose = append(all.pages, h.page), append(all.whose, h.wantMember)
	all.idleAfter, all.expiry = append(all.idleAfter, h.idleAfter), append(all.expiry, h.Expiry)
	all.clients = append(all.clients, h.client)
	all.silence, all.ahead = append(all.silence, h.staleBefore), append(all.ahead, h.Now)
}
