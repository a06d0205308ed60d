// Package metrics counts what a server does and shows it to Prometheus. It does not
// decide anything, and nothing that it counts or shows names a person.
package metrics

import (
	"fmt"
	"io"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"rollcall/server/web"
)

// Meters count what a server does, for /metrics. A label is a word of ours, a
// route's pattern or the name of an application: never anything of people.
type Meters struct {
	set        *metrics.Set
	commits    *metrics.PrometheusHistogram // writes in one
	commitTime *metrics.PrometheusHistogram
	results    map[string]*tally // of some routes, by method and pattern
	refusals   *tally
}

// New returns meters at zero.
func New() *Meters {
	metrics.ExposeMetadata(true) // said of the library as a whole: it leaves out what kind each metric is otherwise
	set := metrics.NewSet()
	return &Meters{
		set:        set,
		commits:    set.NewPrometheusHistogramExt("rollcall_commit_writes", metrics.ExponentialBuckets(1, 2, 10)),
		commitTime: set.NewPrometheusHistogramExt("rollcall_commit_duration_seconds", metrics.ExponentialBuckets(0.0005, 2, 14)),
		results: map[string]*tally{
			"POST /admin/users/heartbeat": newTally(set, `rollcall_heartbeats_total{result="%s"}`),
			"POST /admin/sessions":        newTally(set, `rollcall_logins_total{to="application",result="%s"}`),
			"POST /auth/login":            newTally(set, `rollcall_logins_total{to="panel",result="%s"}`),
		},
		refusals: &tally{set: set, name: `rollcall_refusals_total{code="%s"}`},
	}
}

// Heartbeats is how many were recorded.
func (m *Meters) Heartbeats() uint64 { return m.results["POST /admin/users/heartbeat"].ok.Get() }

// Commit counts a transaction of the store; see [store.Config].
func (m *Meters) Commit(writes int, took time.Duration) {
	m.commits.Update(float64(writes))
	m.commitTime.Update(took.Seconds())
}

// Results returns what counts the outcomes of a route, named by its pattern. Most routes
// have no such count.
func (m *Meters) Results(method, pattern string) func(error) {
	if t, counted := m.results[method+" "+pattern]; counted {
		return t.count
	}
	return func(error) {}
}

// Refused counts an error that was answered, by its code.
func (m *Meters) Refused(code string) { m.refusals.failed(code) }

func (m *Meters) write(w io.Writer) {
	m.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}

// tally counts outcomes by their result: ok, or the code of the problem.
type tally struct {
	set  *metrics.Set
	name string // with a place for the result
	ok   *metrics.Counter
}

func newTally(set *metrics.Set, name string) *tally {
	return &tally{set: set, name: name, ok: set.NewCounter(fmt.Sprintf(name, "ok"))}
}

func (t *tally) count(err error) {
	if err == nil {
		t.ok.Inc()
		return
	}
	t.failed(web.Explain(err).Code)
}

func (t *tally) failed(code string) {
	t.set.GetOrCreateCounter(fmt.Sprintf(t.name, code)).Inc()
}
