package store

import (
	"bytes"
	"context"
	"database/sql"
	"math"
	"slices"
	"strconv"

	"rollcall/store/beats"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// walk finds those of the people whom the last choice marked who were active last, by blocks of activity.
type walk struct {
	*roster
	log   *beats.Log
	first *firstOf
	app   int32
}

// walkFactor is how many sessions are looked through by blocks in the time in which one is found by its id.
const walkFactor = 10

// each looks at all sessions of these people, who are few.
func (w *walk) each(ctx context.Context, look *sql.Tx) ([]chosenPerson, error) {
	var ids []int64
	for i := range w.people {
		if w.people[i].pick == w.pick {
			w.sessionsIn(&w.people[i], w.app, func(id int64) { ids = append(ids, id) })
		}
	}
	latest := map[string]chosenPerson{}
	for some := range slices.Chunk(ids, peopleAtOnce) {
		q := whereSession(sqldb.NewQuery(`SELECT s.id, s.last_activity_at, s.user_id FROM user_sessions s WHERE true`), some, func(id int64) int64 { return id })
		err := eachUntil(ctx, look, q, func(id, activity int64, key string) bool {
			p, _ := byActivity{log: w.log, blocks: true}.placeOf(id, activity)
			c := chosenPerson{key: key, number: p.At, id: id}
			if before, ok := latest[key]; !ok || w.first.compare(c, before) < 0 {
				latest[key] = c
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	for _, c := range latest {
		w.first.add(c)
	}
	return w.first.people, nil
}

// blocksQuery has the ids of all sessions in one text for each block. The database needs the index for it and one row of
// each block; to hand over every session by itself would take longer than to find it.
var blocksQuery = `
	SELECT ` + activityBlock + ` AS block, string_agg(CAST(id AS TEXT), ' ') FROM user_sessions
	WHERE is_active = true AND ` + activityBlock + ` >= $1 AND ` + activityBlock + ` <= $2 GROUP BY block ORDER BY block DESC`

// eachBlock calls f with the sessions of each block that may be online, the latest first, until it returns false.
func eachBlock(ctx context.Context, look *sql.Tx, m presence.Cutoffs, f func(block int64, ids []byte) bool) error {
	rows, err := look.QueryContext(ctx, blocksQuery, presence.ActivityBlock(m.Window), presence.ActivityBlock(m.Future))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var block int64
		var ids sql.RawBytes
		if err := rows.Scan(&block, &ids); err != nil {
			return err
		}
		if !f(block, ids) {
			return nil
		}
	}
	return rows.Err()
}

// appendIDs appends the numbers of a text.
func appendIDs(ids []int64, text []byte) []int64 {
	for one := range bytes.SplitSeq(text, []byte{' '}) {
		id, _ := strconv.ParseInt(string(one), 10, 64)
		ids = append(ids, id)
	}
	return ids
}

// down looks through everybody's sessions, block by block, the latest first. It begins with the first page, because
// whoever has a session there stands there by it. Who is met in a block of the log is not met again in the one of the
// row, which is never later.
func (w *walk) down(ctx context.Context, look *sql.Tx, m presence.Cutoffs) ([]chosenPerson, error) {
	waiting := w.log.ByBlock(presence.ActivityBlock(m.Window), presence.ActivityBlock(m.Future))
	at := int64(math.MaxInt64) // up to where it has come
	downTo := func(block int64) (more bool) {
		for len(w.first.people) <= w.first.Limit {
			next, ok := waiting.Latest(at)
			if !ok || next <= block {
				return true
			}
			at = next
			w.addBlock(next, waiting.Of(next))
		}
		return false
	}
	var some []int64
	err := eachBlock(ctx, look, m, func(block int64, ids []byte) bool {
		if !downTo(block) {
			return false
		}
		at = block
		some = append(appendIDs(some[:0], ids), waiting.Of(block)...)
		w.addBlock(block, some)
		return len(w.first.people) <= w.first.Limit
	})
	downTo(math.MinInt64)
	return w.first.people, err
}

// addBlock adds those who have a session in a block and none in a later one.
func (w *walk) addBlock(block int64, ids []int64) {
	var marked []int64
	for _, id := range ids {
		if i, known := w.owner[id]; known && w.people[i].pick == w.pick {
			w.sessionsIn(&w.people[i], w.app, func(own int64) {
				if own == id {
					marked = append(marked, id)
				}
			})
		}
	}
	slices.Sort(marked)
	for _, id := range slices.Backward(marked) {
		if p := &w.people[w.owner[id]]; p.pick == w.pick {
			p.pick = 0 // their other sessions do not count
			w.first.add(chosenPerson{key: p.key, number: presence.LastOfActivityBlock(block), id: id})
		}
	}
}
