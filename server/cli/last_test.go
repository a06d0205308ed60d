package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"rollcall/server/api"
)

func TestATimeWithoutADateIsTheLatestOne(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.Local)
	for text, want := range map[string]time.Time{
		"12:00":                     now,
		"09:05":                     time.Date(2026, 3, 4, 9, 5, 0, 0, time.Local),
		"12:01":                     time.Date(2026, 3, 3, 12, 1, 0, 0, time.Local),
		"2026-03-01 10:00":          time.Date(2026, 3, 1, 10, 0, 0, 0, time.Local),
		"2026-03-01T10:00":          time.Date(2026, 3, 1, 10, 0, 0, 0, time.Local),
		"2026-03-01T10:00:00+01:00": time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
	} {
		if got, err := parseMoment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	if got, err := parseMoment("", now); got != nil || err != nil {
		t.Errorf("nothing is %v, %v", got, err)
	}
	for _, text := range []string{"25:00", "noon", "2026-03-01"} {
		if got, err := parseMoment(text, now); err == nil {
			t.Errorf("%s is %v", text, got)
		}
	}
}

func TestLastFitsEightyColumns(t *testing.T) {
	ended := api.At(noon.Add(-time.Hour))
	page := api.Sessions{Timestamp: api.At(noon), Sessions: []api.ListedSession{
		{User: api.SessionUser{Name: strings.Repeat("A long name ", 9)}, App: "an-application-of-some-length", IPAddress: "2001:db8:85a3:8d3:1319:8a2e:370:7348",
			SessionStartedAt: api.At(noon.Add(-30 * time.Hour)), State: "online"},
		{User: api.SessionUser{ID: "7"}, App: "wiki", IPAddress: "192.0.2.7", Location: "Office", SessionStartedAt: api.At(noon.Add(-50 * time.Hour)), EndedAt: &ended, State: "ended"},
		{User: api.SessionUser{ID: "8"}, App: "wiki", SessionStartedAt: api.At(noon.Add(-2 * time.Hour)), ExpiresAt: api.At(noon.Add(-90 * time.Second)), State: "expired"},
	}}
	var w bytes.Buffer
	if err := printLast(&w, page, nil); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(w.String()) {
		if n := width(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{"still logged in  1d6h\n", "Mar  4 11:00     2d1h\n", "11:58            1h58m\n", "2001:db8", "  Office   "} {
		if !strings.Contains(w.String(), want) {
			t.Errorf("%q is not in\n%s", want, w.String())
		}
	}
}
