package store

import "database/sql"

// quietly is the first update of touch for many heartbeats in one statement, and
// with it what their answers say.
const quietly = `
	UPDATE user_sessions s
	SET last_activity_at = b.at, idle_ms = b.idle, expires_at = COALESCE(b.until, s.expires_at)
	FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::boolean[],
			$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
		AS b (id, digest, at, idle, until, page, whose, idle_after, expiry, silence, future)
	WHERE s.id = b.id AND s.token_sha256 = b.digest AND s.is_active = true AND s.expires_at > b.expiry
		AND s.page = COALESCE(b.page, s.page) AND (s.idle_ms >= b.idle_after) = (b.until IS NULL) AND s.leaving_at IS NULL
		AND s.last_activity_at > b.silence AND s.last_activity_at <= b.future
	RETURNING s.id, s.expires_at, s.app, s.organization_id, CASE WHEN b.whose THEN (SELECT role FROM users WHERE id = s.user_id) ELSE '' END`

// touchTogether records, of the heartbeats at the head of a batch, those of which
// nobody can see a difference, where the database takes many as one statement.
// All others are left for touch, as are further ones of the same session.
func (t *tx) touchTogether(batch []*write) error {
	if !t.w.engine.arrays {
		return nil
	}
	var all heartbeats
	by := map[int64]*heartbeat{}
	for _, job := range batch {
		h := job.heartbeat
		if h == nil {
			break // what was queued before another write is done before it
		}
		if by[h.id] == nil && job.ctx.Err() == nil {
			by[h.id] = h
			all.add(h)
		}
	}
	err := t.each(func(rows *sql.Rows) error {
		var id, expires int64
		var m Member
		if err := rows.Scan(&id, &expires, &m.App, &m.OrganizationID, &m.Role); err != nil {
			return err
		}
		h := by[id]
		h.unseen, h.Beaten.ExpiresAt = true, fromMillis(expires)
		if h.whose {
			h.Beaten.Member = m
		}
		return nil
	}, quietly, all.ids, all.digests, all.at, all.idle, all.until, all.pages, all.whose, all.idleAfter, all.expiry, all.silence, all.future)
	return fail("recording heartbeats", err)
}

// heartbeats are many by their columns.
type heartbeats struct {
	ids, at, idle                      []int64
	until                              []*int64
	digests                            [][]byte
	pages                              []*string
	whose                              []bool
	idleAfter, expiry, silence, future []int64
}

func (all *heartbeats) add(h *heartbeat) {
	all.ids, all.digests = append(all.ids, h.id), append(all.digests, h.digest)
	all.at, all.idle, all.until = append(all.at, h.now), append(all.idle, h.idle), append(all.until, h.end)
	all.pages, all.whose = append(all.pages, h.page), append(all.whose, h.whose)
	all.idleAfter, all.expiry = append(all.idleAfter, h.idleAfter), append(all.expiry, h.expiry)
	all.silence, all.future = append(all.silence, h.window), append(all.future, h.future)
}
