package server

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/server/api"
	"rollcall/store"
	"rollcall/store/storetest"
)

func (b *bench) stats(t testing.TB, key string) map[string]any {
	t.Helper()
	got := do(t, b, "GET", "/admin/stats", nil, bearing(key)).wants(200)
	delete(got, "success")
	delete(got, "timestamp")
	return got
}

func TestTheFiguresOfAnEmptyServer(t *testing.T) {
	b := newBench(t, storetest.New(t))
	b.admin(t)
	want := map[string]any{"online_users": 0.0, "active_sessions": 0.0, "expired_sessions": 0.0, "ended_sessions": 0.0,
		"average_duration_minutes": nil, "median_duration_minutes": nil, "organizations": []any{}, "more_organizations": 0.0, "apps": []any{}, "more_apps": 0.0,
		"peak_today": nil, "last_cleanup": nil}
	if diff := cmp.Diff(want, b.stats(t, b.key(t, "ops", "read"))); diff != "" {
		t.Error(diff)
	}
}

func TestAverageAndMedianAreOfEndedSessions(t *testing.T) {
	for name, test := range map[string]struct {
		minutes         []int
		average, median any
	}{
		"one":       {[]int{10}, 10.0, 10.0},
		"odd":       {[]int{30, 1, 2}, 11.0, 2.0},
		"even":      {[]int{40, 1, 3, 4}, 12.0, 3.5},
		"none":      {nil, nil, nil},
		"no length": {[]int{0, 0}, 0.0, 0.0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, storetest.New(t))
			key := b.key(t, "shop", "admin")
			b.person(t, key, "still-here")
			for _, minutes := range test.minutes {
				_, token := b.person(t, key, "ada")
				b.clock.advance(time.Duration(minutes) * time.Minute)
				do(t, b, "POST", "/admin/sessions/end", map[string]any{"session_token": token}, bearing(key)).wants(200)
			}
			got := b.stats(t, key)
			if got["average_duration_minutes"] != test.average || got["median_duration_minutes"] != test.median || got["ended_sessions"] != float64(len(test.minutes)) {
				t.Errorf("got %v and %v of %v, want %v and %v", got["average_duration_minutes"], got["median_duration_minutes"], got["ended_sessions"], test.average, test.median)
			}
		})
	}
}

func TestSessionsAreCountedByAppAndOrganization(t *testing.T) {
	b, viewer := company(t)
	got := b.stats(t, viewer)
	if got["online_users"] != 4.0 || got["active_sessions"] != 6.0 {
		t.Errorf("%v people with %v sessions, want 4 with 6", got["online_users"], got["active_sessions"])
	}
	if apps := fmt.Sprint(got["apps"]); apps != "[map[active_sessions:4 app:shop] map[active_sessions:2 app:blog]]" {
		t.Errorf("by app: %s", apps)
	}
	organizations := map[any]any{}
	for _, o := range got["organizations"].([]any) {
		o := o.(map[string]any)
		if (o["organization_id"] == nil) != (o["organization_name"] == "") {
			t.Errorf("an id without a name: %v", o)
		}
		organizations[o["organization_name"]] = o["active_sessions"]
	}
	if diff := cmp.Diff(map[any]any{"Engines": 3.0, "Analytics": 2.0, "": 1.0}, organizations); diff != "" {
		t.Errorf("by organization:\n%s", diff)
	}
}

func TestWhatExpiredIsCountedUntilItIsCleanedUp(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	_, token := b.person(t, key, "ada")
	b.person(t, key, "bob")
	b.clock.advance(time.Hour)
	b.beats(t, token)
	b.clock.advance(23*time.Hour + time.Minute)
	got := b.stats(t, key)
	if got["active_sessions"] != 1.0 || got["expired_sessions"] != 1.0 || got["ended_sessions"] != 0.0 {
		t.Errorf("before the cleanup: %v", got)
	}
	cleaned := do(t, b, "POST", "/admin/users/cleanup-sessions", nil, bearing(key)).wants(200)
	if cleaned["affected_rows"] != 1.0 || cleaned["purged_rows"] != 0.0 {
		t.Errorf("the cleanup: %v", cleaned)
	}
	got = b.stats(t, key)
	if got["active_sessions"] != 1.0 || got["expired_sessions"] != 0.0 || got["ended_sessions"] != 1.0 {
		t.Errorf("after the cleanup: %v", got)
	}
	want := map[string]any{"at": api.At(b.now()).String(), "affected_rows": 1.0, "purged_rows": 0.0}
	if diff := cmp.Diff(any(want), got["last_cleanup"]); diff != "" {
		t.Errorf("the last cleanup:\n%s", diff)
	}
	if got["average_duration_minutes"] != 24*60.0 {
		t.Errorf("a session that expired lasted %v minutes, want until it expired", got["average_duration_minutes"])
	}
	b.clock.advance(30*24*time.Hour + time.Minute)
	if cleaned := do(t, b, "POST", "/admin/users/cleanup-sessions", nil, bearing(key)).wants(200); cleaned["purged_rows"] != 2.0 || cleaned["affected_rows"] != 1.0 {
		t.Errorf("past retention: %v", cleaned)
	}
	if cleaned := do(t, b, "POST", "/admin/users/cleanup-sessions", nil, bearing(key)).wants(200); cleaned["purged_rows"] != 0.0 || cleaned["affected_rows"] != 0.0 {
		t.Errorf("once more: %v", cleaned)
	}
}

func TestThePeakIsOfToday(t *testing.T) {
	b := newBench(t, storetest.New(t))
	key := b.key(t, "shop", "admin")
	sample := func() any {
		if err := storetest.RecordPeak(t.Context(), b.store, b.now()); err != nil {
			t.Fatal(err)
		}
		return b.stats(t, key)["peak_today"]
	}
	b.person(t, key, "ada")
	b.person(t, key, "bob")
	b.account(t, "watch", store.AccessViewer)
	high := map[string]any{"people": 2.0, "at": api.At(b.now()).String()}
	if diff := cmp.Diff(any(high), sample()); diff != "" {
		t.Errorf("the first sample:\n%s", diff)
	}
	b.clock.advance(10 * time.Minute)
	if diff := cmp.Diff(any(high), sample()); diff != "" {
		t.Errorf("after all have gone:\n%s", diff)
	}
	b.clock.advance(24 * time.Hour)
	if got := b.stats(t, key)["peak_today"]; got != nil {
		t.Errorf("tomorrow, before the first sample: %v", got)
	}
}
