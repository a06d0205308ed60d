package metrics

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// scrapeTimeout bounds the wait for the database: Prometheus gives up after ten
// seconds, and then has nothing at all.
const scrapeTimeout = 5 * time.Second

// Live is what the live feed has counted.
type Live struct {
	Sockets        int    // open now
	Events, Resets uint64 // since the start
}

// Page shows the figures to Prometheus.
type Page struct {
	meters  *Meters
	store   *store.Store
	version string
	live    func() Live
	respond *web.Responder
	turn    chan struct{} // of capacity 1: one scrape at a time
}

// NewPage returns the page of a server of some version.
func NewPage(m *Meters, s *store.Store, version string, live func() Live, respond *web.Responder) *Page {
	return &Page{meters: m, store: s, version: version, live: live, respond: respond, turn: make(chan struct{}, 1)}
}

// ServeHTTP answers on a listener of its own, where there are no callers to tell apart:
// whoever reaches it may read.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/metrics":
		p.respond.Fail(w, r, web.NothingHere)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		p.respond.Fail(w, r, web.MethodNotAllowed)
		return
	}
	ctx, cancel := context.WithTimeout(sqldb.WithOwnTurn(r.Context()), scrapeTimeout)
	defer cancel()
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		p.respond.Fail(w, r, sqldb.ErrBusy)
		return
	}
	var text bytes.Buffer
	p.measure(ctx, &text)
	p.meters.write(&text)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(text.Len()))
	_, _ = w.Write(text.Bytes()) // a caller that is gone needs no answer
}

// measure writes what is not counted as it happens but looked up in the database. If that
// does not answer in time, it writes only that the database is down.
func (p *Page) measure(ctx context.Context, w io.Writer) {
	g := gauges{w}
	g.family("rollcall_info")
	g.labelled("rollcall_info", "version", p.version, 1)
	live := p.live()
	g.single("rollcall_live_sockets", live.Sockets)
	metrics.WriteCounterUint64(w, "rollcall_live_events_total", live.Events)
	metrics.WriteCounterUint64(w, "rollcall_live_resets_total", live.Resets)
	up := 1
	if err := p.measureStore(ctx, g); err != nil {
		up = 0
		if !p.respond.Troubles.Observe(err) {
			p.respond.Log.Warn().Err(err).Msg("measuring the database for /metrics")
		}
	}
	g.single("rollcall_database_up", up)
	if health, err := p.store.DB().Health(); err == nil {
		measureHealth(g, health)
	}
}

// measureHealth shows what is known of the database's file.
func measureHealth(g gauges, health sqldb.Health) {
	damaged := 0
	if health.Damage != "" {
		damaged = 1
	}
	g.single("rollcall_database_damaged", damaged)
	if !health.Checked.IsZero() {
		metrics.WriteGaugeFloat64(g, "rollcall_database_checked_timestamp_seconds", float64(health.Checked.UnixMilli())/1000)
	}
}

func (p *Page) measureStore(ctx context.Context, g gauges) error {
	now := p.respond.Now()
	people, err := p.store.CountOnline(ctx, now)
	if err != nil {
		return err
	}
	st, err := p.store.Stats(ctx, now)
	if err != nil {
		return err
	}
	usage, err := p.store.DB().Usage(ctx)
	if err != nil {
		return err
	}
	g.by("rollcall_people_online", "status", map[string]int{
		string(presence.StatusAvailable): people.Available, string(presence.StatusBusy): people.Busy, string(presence.StatusAway): people.Away})
	g.by("rollcall_people_hidden", "because", map[string]int{"still_there": people.StillThere, "unidentified": people.Unidentified}) // not online, and in the gate's way
	g.by("rollcall_sessions", "state", map[string]int{"active": st.Active, "expired": st.Expired, "ended": st.Ended})
	g.family("rollcall_app_sessions")
	for _, app := range st.Apps {
		g.labelled("rollcall_app_sessions", "app", app.App, app.Active)
	}
	g.single("rollcall_database_bytes", int(usage.Database))
	if usage.Log >= 0 {
		g.single("rollcall_database_log_bytes", int(usage.Log))
	}
	if c := st.LastCleanup; c != nil {
		metrics.WriteGaugeFloat64(g, "rollcall_last_cleanup_timestamp_seconds", float64(c.At.UnixMilli())/1000)
		g.single("rollcall_last_cleanup_ended", int(c.Ended))
		g.single("rollcall_last_cleanup_purged", int(c.Purged))
	}
	return nil
}

// gauges writes figures as they are now.
type gauges struct{ io.Writer }

func (g gauges) single(name string, value int) {
	metrics.WriteGaugeFloat64(g, name, float64(value))
}

// by writes one figure for each value of a label.
func (g gauges) by(name, label string, values map[string]int) {
	g.family(name)
	for value, n := range values {
		g.labelled(name, label, value, n)
	}
}

func (g gauges) family(name string) { metrics.WriteMetadataIfNeeded(g, name, "gauge") }

// inLabel escapes as the format has it, which is not Go's way.
var inLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (g gauges) labelled(name, label, value string, n int) {
	fmt.Fprintf(g, "%s{%s=\"%s\"} %d\n", name, label, inLabel.Replace(value), n)
}
