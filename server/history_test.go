package server

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
	"rollcall/store/history"
	"rollcall/store/presence"
	"rollcall/store/storetest"
)

func TestTheHistoryOfAFreshServer(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "ops", "read")
	got := do(t, b, "GET", "/admin/stats/activity", nil, bearing(key)).wants(200)
	points := got["points"].([]any)
	if len(points) != 288 || got["since"] != nil || got["step_ms"] != 300000.0 || points[0].(map[string]any)["people"] != nil {
		t.Errorf("the last day has %d points with a step of %v since %v", len(points), got["step_ms"], got["since"])
	}
	none := map[string]any{"average_ms": nil, "median_ms": nil}
	if diff := cmp.Diff(any(none), got["duration"]); diff != "" || len(got["days"].([]any)) != 0 {
		t.Errorf("without sessions: %s %v", diff, got["days"])
	}
	heat := do(t, b, "GET", "/admin/stats/heatmap", nil, bearing(key)).wants(200)
	if heat["note"] == "" || heat["next_quiet"] != nil || len(heat["quiet"].([]any)) != 0 || heat["tz"] != "Local" || heat["weeks"] != 4.0 {
		t.Errorf("nothing is known, but: %v %v %v", heat["note"], heat["next_quiet"], heat["quiet"])
	}
}

func TestActivityOverTime(t *testing.T) {
	b, key := company(t)
	for _, app := range []string{"later", "<img src=x>"} {
		b.key(t, app, "sessions")
	}
	jobs := func() {
		t.Helper()
		for _, err := range []error{b.store.History.Sample(t.Context(), b.now()), storetest.RecordPeak(t.Context(), b.store, b.now()), b.store.History.RecordVisitors(t.Context(), b.now())} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	jobs()
	b.clock.advance(10 * time.Minute)
	jobs()
	do(t, b, "POST", "/admin/sessions/revoke", map[string]any{"user": "bob"}, bearing(b.key(t, "ops", "admin"))).wants(200)
	for query, want := range map[string]string{
		"":                                  "[4 <nil> 0]",
		"app=blog":                          "[2 <nil> 0]",
		"organization=Engines":              "[2 <nil> 0]",
		"organization=Engines&app=blog":     "[1 <nil> 0]",
		"organization=Engines&app=later":    "[0 <nil> 0]",
		"step=15m":                          "[4]",
		"to=2026-03-02T09:36:00Z":           "[4 <nil>]",
		"to=2026-03-02T11:36:00%2B02:00":    "[4 <nil>]",
		"step=300s&app=%3Cimg+src%3Dx%3E":   "[0 <nil> 0]",
		"from=2026-03-02T09:29:59Z&step=5m": "[<nil> 4 <nil> 0]",
	} {
		q := query
		if !strings.Contains(q, "from=") {
			q += "&from=2026-03-02T09:30:00Z"
		}
		got := do(t, b, "GET", "/admin/stats/activity?"+strings.TrimPrefix(q, "&"), nil, bearing(key)).wants(200)
		var people []any
		for _, p := range got["points"].([]any) {
			people = append(people, p.(map[string]any)["people"])
		}
		if fmt.Sprint(people) != want {
			t.Errorf("%s: %v, want %s", query, people, want)
		}
		day := got["days"].([]any)[0].(map[string]any)
		if day["day"] != "2026-03-02" || day["peak"] != 4.0 || day["visitors"] != nil || day["peak_at"] != "2026-03-02T09:30:05.000Z" {
			t.Errorf("%s: the day is %v", query, day)
		}
	}
	got := do(t, b, "GET", "/admin/stats/activity?from=2026-03-02T09:40:00Z&step=5m&app=shop", nil, bearing(key)).wants(200)
	if length := got["duration"].(map[string]any); length["average_ms"] != 603000.0 || length["median_ms"] != 603000.0 {
		t.Errorf("bob's session lasted %v", length)
	}
}

func TestHistoryRefusesWhatCanNotBe(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "ops", "read")
	for _, path := range []string{
		"activity?from=yesterday", "activity?to=noon", "activity?from=2026-03-02T09:00:00Z&to=2026-03-02T08:00:00Z",
		"activity?from=2026-03-03T09:00:00Z", "activity?step=never", "activity?step=-5m", "activity?step=0", "activity?step=7m",
		"activity?from=2020-03-02T09:00:00Z&step=5m", "activity?weeks=4", "activity?app=a&app=b", "activity?app=%00",
		"heatmap?weeks=0", "heatmap?weeks=53", "heatmap?weeks=many", "heatmap?tz=Mars/Base", "heatmap?tz=../../etc/passwd", "heatmap?from=x",
	} {
		do(t, b, "GET", "/admin/stats/"+path, nil, bearing(key)).refuses(400, "invalid_request")
	}
}

func TestTheHeatmapNamesQuietTimes(t *testing.T) {
	folder := t.TempDir()
	b := newBench(t, storetest.Open(t, folder, presence.DefaultRules()))
	key := b.key(t, "shop", "admin")
	// Three weeks in which somebody is there but for Sundays from three to six, by the clock in Berlin.
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	samples, err := storetest.Shell(t, folder).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer samples.Rollback()
	for range 3 * 7 * 288 {
		b.clock.advance(history.SampleEvery)
		at, people := b.now().In(berlin), 1
		if at.Weekday() == time.Sunday && at.Hour() >= 3 && at.Hour() < 6 {
			people = 0
		}
		_, err := samples.Exec(`INSERT INTO activity_samples (organization_id, app, at, people) VALUES (0, '', $1, $2), (0, 'shop', $1, $2)`,
			at.Truncate(history.SampleEvery).UnixMilli(), people)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := samples.Commit(); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(history.SampleEvery)
	got := do(t, b, "GET", "/admin/stats/heatmap?tz=Europe/Berlin", nil, bearing(key)).wants(200)
	want := []any{map[string]any{"weekday": 7.0, "from": "03:00", "to_weekday": 7.0, "to": "06:00", "minutes": 180.0, "weeks": 3.0, "peak": 0.0,
		"words": "Sundays 03:00 to 06:00, nobody in 3 weeks"}}
	if diff := cmp.Diff(any(want), got["quiet"]); diff != "" {
		t.Errorf("quiet:\n%s\n%v", diff, got["note"])
	}
	next := map[string]any{"from": "2026-03-29T01:00:00.000Z", "to": "2026-03-29T04:00:00.000Z", "peak": 0.0, "words": "Sunday 03:00 to 06:00, nobody in 3 weeks"}
	if diff := cmp.Diff(any(next), got["next_quiet"]); diff != "" {
		t.Errorf("next:\n%s", diff)
	}
	b.person(t, key, "ada")
	held := do(t, b, "GET", "/admin/gate?tz=Europe/Berlin", nil, bearing(key)).wants(409)
	if diff := cmp.Diff(any(next), held["quietest"]); diff != "" {
		t.Errorf("the gate says it is quiet:\n%s", diff)
	}
	cell := got["cells"].([]any)[6*24+4].(map[string]any)
	if diff := cmp.Diff(map[string]any{"weekday": 7.0, "hour": 4.0, "average": 0.0, "peak": 0.0, "samples": 36.0}, cell); diff != "" {
		t.Errorf("Sundays at four:\n%s", diff)
	}
	utc := do(t, b, "GET", "/admin/stats/heatmap?tz=UTC&weeks=2&app=shop", nil, bearing(key)).wants(200)
	if words := utc["quiet"].([]any)[0].(map[string]any)["words"]; words != "Sundays 02:00 to 05:00, nobody in 2 weeks" {
		t.Errorf("in UTC: %v", words)
	}
}

func TestWhoWasOnAtATime(t *testing.T) {
	b, key := company(t)
	at := url.QueryEscape(api.At(b.now()).String())
	b.clock.advance(3 * time.Hour)
	late := b.key(t, "shop", "sessions")
	b.person(t, late, "late")
	got := do(t, b, "GET", "/admin/sessions?at="+at, nil, bearing(key)).wants(200)
	if n := len(got["sessions"].([]any)); n != 6 {
		t.Errorf("%d sessions, want the 6 of then", n)
	}
	got = do(t, b, "GET", "/admin/sessions?app=blog&at="+at, nil, bearing(key)).wants(200)
	if n := len(got["sessions"].([]any)); n != 2 {
		t.Errorf("%d sessions of one app, want 2", n)
	}
	do(t, b, "GET", "/admin/sessions?at=14:32", nil, bearing(key)).refuses(400, "invalid_request")
}

func TestSamplingBeginsWhenEverybodyCouldBeHeardOf(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "ops", "read")
	var history func() error
	for _, j := range b.jobs() {
		if j.name == "history" {
			history = func() error { return j.run(t.Context()) }
		}
	}
	for minute, want := range []any{nil, nil, api.At(storetest.Start).String()} {
		if err := history(); err != nil {
			t.Fatal(err)
		}
		if got := do(t, b, "GET", "/admin/stats/activity", nil, bearing(key)).wants(200)["since"]; got != want {
			t.Errorf("after %d minutes there are samples since %v, want %v", minute, got, want)
		}
		b.clock.advance(time.Minute)
	}
}
