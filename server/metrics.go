package server

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
)

// scrapeTimeout bounds the wait for the database: Prometheus gives up after ten
// seconds, and then has nothing at all.
const scrapeTimeout = 5 * time.Second

// scraping answers on the listener of its own, where there are no callers to
// tell apart: whoever reaches it may read.
func (s *Server) scraping() http.Handler {
	h := s.knownHost(http.HandlerFunc(s.scrape)) // else a page of a stranger could read it in a visitor's browser
	return s.recovered(s.secureHeaders(h))
}

func (s *Server) scrape(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/metrics":
		s.respond.Fail(w, r, web.NothingHere)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		s.respond.Fail(w, r, web.MethodNotAllowed)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), scrapeTimeout)
	defer cancel()
	select {
	case s.scrapes <- struct{}{}:
		defer func() { <-s.scrapes }()
	case <-ctx.Done():
		s.respond.Fail(w, r, store.ErrBusy)
		return
	}
	var page bytes.Buffer
	s.measure(ctx, &page)
	s.meters.write(&page)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(page.Len()))
	_, _ = w.Write(page.Bytes()) // a caller that is gone needs no answer
}

// measure writes what is not counted as it happens but looked up. Where the
// database does not answer in time, only that it does not.
func (s *Server) measure(ctx context.Context, w io.Writer) {
	g := gauges{w}
	g.family("rollcall_info")
	g.labelled("rollcall_info", "version", s.cfg.Version, 1)
	g.single("rollcall_live_sockets", s.live.watchers.count())
	metrics.WriteCounterUint64(w, "rollcall_live_events_total", s.live.published.Load())
	metrics.WriteCounterUint64(w, "rollcall_live_resets_total", s.live.resets.Load())
	up := 1
	if err := s.measureStore(ctx, g); err != nil {
		up = 0
		if !s.outage.observe(err) {
			s.log.Warn().Err(err).Msg("measuring the database for /metrics")
		}
	}
	g.single("rollcall_database_up", up)
}

func (s *Server) measureStore(ctx context.Context, g gauges) error {
	people, err := s.store.CountOnline(ctx, s.now())
	if err != nil {
		return err
	}
	st, err := s.store.Stats(ctx, s.now())
	if err != nil {
		return err
	}
	usage, err := s.store.Usage(ctx)
	if err != nil {
		return err
	}
	g.by("rollcall_people_online", "status", map[string]int{
		string(presence.StatusAvailable): people.Available, string(presence.StatusBusy): people.Busy, string(presence.StatusAway): people.Away})
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
