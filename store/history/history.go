// Package history is how many people were online over time: samples every five minutes, peaks and
// visitors of days, activity over a range, the week by hours, and when it is quiet. It knows
// samples and sessions as rows, and nothing of single people.
package history

import (
	"context"
	"database/sql"
	"sync/atomic"
	"time"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// History reads and writes the history in a database. It is safe for concurrent use.
type History struct {
	db     *sqldb.DB
	rules  presence.Rules
	slack  func() presence.Slack
	online EachOnline

	activities *sqldb.Cache[activityQuestion, Activity]
	heatmaps   *sqldb.Cache[heatmapQuestion, Heatmap]
	sampled    atomic.Int64 // the interval that has its sample, in unix milliseconds
}

// EachOnline calls scan with these columns of each session s that is online at now, in no order.
type EachOnline func(ctx context.Context, now time.Time, columns string, scan func(*sql.Rows) error) error

// New returns the history in db. The slack is by how much the rules are lenient at the moment.
func New(db *sqldb.DB, rules presence.Rules, slack func() presence.Slack, online EachOnline) *History {
	h := &History{db: db, rules: rules, slack: slack, online: online}
	h.activities = sqldb.NewCache(db, h.findActivity)
	h.heatmaps = sqldb.NewLastingCache(db, h.findHeatmap)
	return h
}

func midnight(now time.Time) int64 { return now.UTC().Truncate(day).UnixMilli() }
