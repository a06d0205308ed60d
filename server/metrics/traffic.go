package metrics

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// durations are the bounds of the time that requests take, in seconds.
var durations = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10}

// traffic is the requests of one route.
type traffic struct {
	classes [6]*metrics.Counter // 2 for the statuses from 200 to 299, and so on
	took    *metrics.PrometheusHistogram
}

// traffic returns what counts the requests of a route, named by its pattern:
// addresses hold ids of people. A route is not shown before its first request.
func (m *Meters) traffic(method, pattern string) func() *traffic {
	return sync.OnceValue(func() *traffic {
		labels := fmt.Sprintf(`method=%q,route=%q`, method, pattern)
		t := &traffic{took: m.set.NewPrometheusHistogramExt("rollcall_http_request_duration_seconds{"+labels+"}", durations)}
		for class := 1; class < len(t.classes); class++ {
			t.classes[class] = m.set.NewCounter(fmt.Sprintf(`rollcall_http_requests_total{%s,status="%dxx"}`, labels, class))
		}
		return t
	})
}

// All counts every request that h answers, also those that no route takes.
func (m *Meters) All(h http.Handler) http.Handler {
	nowhere := m.traffic("", "")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &statusRecorder{ResponseWriter: w, traffic: nowhere, began: time.Now()}
		defer a.done() // also of an answer that is broken off
		h.ServeHTTP(a, r)
	})
}

// Route has the requests that h answers counted as those of a route, named by its pattern.
// It stands inside All.
func (m *Meters) Route(method, pattern string, h http.Handler) http.Handler {
	t := m.traffic(method, pattern)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a, ok := w.(*statusRecorder); ok {
			a.traffic = t
		}
		h.ServeHTTP(w, r)
	})
}

// statusRecorder notes the status of an answer on its way.
type statusRecorder struct {
	http.ResponseWriter
	traffic func() *traffic
	began   time.Time
	status  int
}

// Unwrap lets the live feed and downloads reach the connection.
func (a *statusRecorder) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader notes the status. A socket is counted when it opens, and takes as
// long as it stays open, which says nothing.
func (a *statusRecorder) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	if status == http.StatusSwitchingProtocols {
		a.traffic().classes[1].Inc()
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write begins the answer where nothing else has.
func (a *statusRecorder) Write(text []byte) (int, error) {
	if a.status == 0 { // so does net/http
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(text)
}

// Begun tells whether a part of the answer may be with the caller already.
func (a *statusRecorder) Begun() bool { return a.status != 0 }

func (a *statusRecorder) done() {
	if a.status == http.StatusSwitchingProtocols {
		return
	}
	if a.status == 0 { // so does net/http
		a.status = http.StatusOK
	}
	t := a.traffic()
	t.classes[min(a.status/100, 5)].Inc()
	t.took.UpdateDuration(a.began)
}
