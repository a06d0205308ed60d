package history_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/history"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// addSamples adds a sample of everybody for every five minutes, with as many
// people as there are at that local time; none where that is negative.
func addSamples(t testing.TB, db *sql.DB, from, to time.Time, people func(time.Time) int) {
	t.Helper()
	var rows []string
	for at := from; at.Before(to); at = at.Add(history.SampleEvery) {
		if n := people(at); n >= 0 {
			rows = append(rows, fmt.Sprintf("(0, '', %d, %d)", at.UnixMilli(), n))
		}
	}
	for some := range slices.Chunk(rows, 5000) {
		ExecSQL(t, db, `INSERT INTO activity_samples (organization_id, app, at, people) VALUES `+strings.Join(some, ", "))
	}
}

// office is where people work from eight to six, Monday to Friday.
func office(at time.Time) int {
	if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday || at.Hour() < 8 || at.Hour() >= 18 {
		return 0
	}
	return 5
}

func heatmap(t testing.TB, s *store.Store, now time.Time, f history.HeatmapFilter) history.Heatmap {
	t.Helper()
	h, err := s.History.Heatmap(t.Context(), now, f)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// clock is a time of the week.
func clock(weekday time.Weekday, hour int) time.Duration {
	return time.Duration((int(weekday)+6)%7*24+hour) * time.Hour
}

func TestTheHeatmapIsOfLocalTime(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	for name, now := range map[string]time.Time{
		"in winter":                           time.Date(2026, 2, 10, 12, 3, 0, 0, berlin),
		"after the clock was put forward":     time.Date(2026, 3, 31, 12, 3, 0, 0, berlin),
		"after the clock was put back":        time.Date(2026, 10, 27, 12, 3, 0, 0, berlin),
		"in the hour that is there twice":     time.Date(2026, 10, 25, 1, 33, 0, 0, time.UTC).In(berlin),
		"right after the hour that is missed": time.Date(2026, 3, 29, 1, 3, 0, 0, time.UTC).In(berlin),
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			s := Open(t, folder, presence.DefaultRules())
			addSamples(t, OpenShell(t, folder, ""), now.AddDate(0, 0, -40).Truncate(history.SampleEvery), now, office)
			h := heatmap(t, s, now, history.HeatmapFilter{Weeks: 4, Zone: "Europe/Berlin"})
			total := 0
			for i, c := range h.Cells {
				weekday, hour := time.Weekday((i/24+1)%7), i%24
				want := 0
				if weekday != time.Sunday && weekday != time.Saturday && hour >= 8 && hour < 18 {
					want = 5
				}
				if c.Peak != want || c.Average != float64(want) {
					t.Errorf("%v %d h: %+v, want %d", weekday, hour, c, want)
				}
				total += c.Samples
			}
			if from := now.AddDate(0, 0, -28).Truncate(history.SampleEvery); total != int(now.Truncate(history.SampleEvery).Sub(from)/history.SampleEvery) {
				t.Errorf("%d samples", total)
			}
			if h.Note != "" || len(h.Quiet) != 5 {
				t.Fatalf("%q, %+v", h.Note, h.Quiet)
			}
			want := history.QuietWindow{Begin: clock(time.Friday, 18), Length: 62 * time.Hour, Weeks: 4}
			if h.Quiet[0] != want {
				t.Errorf("the longest is %+v, want %+v", h.Quiet[0], want)
			}
			for _, w := range h.Quiet[1:] {
				if w.Length != 14*time.Hour {
					t.Errorf("a night is %+v", w)
				}
			}
		})
	}
}

func TestWhatIsNotKnownIsNotQuiet(t *testing.T) {
	now := time.Date(2026, 2, 10, 12, 0, 0, 0, time.UTC)
	ago := func(weeks float64) time.Time {
		return now.Add(-time.Duration(weeks*7*24) * time.Hour).Truncate(history.SampleEvery)
	}
	for _, c := range []struct {
		name  string
		since time.Time
		alter func(at time.Time, people int) int
		note  history.QuietNote
		weeks int
		first time.Duration // length of the longest
	}{
		{"a fresh install", ago(0), nil, history.QuietTooEarly, 0, 0},
		{"not quite two weeks", ago(1.99), nil, history.QuietTooEarly, 0, 0},
		{"two weeks", ago(2), nil, "", 2, 62 * time.Hour},
		{"three and a half weeks", ago(3.5), nil, "", 3, 62 * time.Hour},
		{"more than asked for", ago(9), nil, "", 4, 62 * time.Hour},
		{"a Saturday without the server", ago(9), func(at time.Time, n int) int {
			if at.Month() == time.January && at.Day() == 24 {
				return -1
			}
			return n
		}, "", 4, 32 * time.Hour},
		{"a restart in the night", ago(9), func(at time.Time, n int) int {
			if at.Month() == time.January && at.Day() == 24 && at.Hour() == 3 && at.Minute() == 10 {
				return -1
			}
			return n
		}, "", 4, 62 * time.Hour},
		{"ten minutes without the server", ago(9), func(at time.Time, n int) int {
			if at.Month() == time.January && at.Day() == 24 && at.Hour() == 3 && at.Minute() >= 10 && at.Minute() < 20 {
				return -1
			}
			return n
		}, "", 4, (62 - 9.5) * 60 * time.Minute},
		{"a server that runs every other half hour", ago(9), func(at time.Time, n int) int {
			if (at.Unix()/1800+at.Unix()/604800)%2 == 0 {
				return -1
			}
			return n
		}, history.QuietGaps, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			s := Open(t, folder, presence.DefaultRules())
			addSamples(t, OpenShell(t, folder, ""), c.since, now, func(at time.Time) int {
				if c.alter == nil {
					return office(at)
				}
				return c.alter(at, office(at))
			})
			h := heatmap(t, s, now, history.HeatmapFilter{Weeks: 4, Zone: "UTC"})
			if h.Note != c.note || (len(h.Quiet) == 0) != (c.note != "") {
				t.Fatalf("%q with %+v", h.Note, h.Quiet)
			}
			if c.note == "" && (h.Quiet[0].Length != c.first || h.Quiet[0].Weeks != c.weeks) {
				t.Errorf("the longest is %+v, want %v in %d weeks", h.Quiet[0], c.first, c.weeks)
			}
		})
	}
}

func TestTheHeatmapOfAnAppOrOrganization(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	now := time.Date(2026, 2, 10, 12, 0, 0, 0, time.UTC)
	addSamples(t, db, now.AddDate(0, 0, -40), now, office)
	addSample(t, db, time.Date(2026, 2, 4, 9, 30, 0, 0, time.UTC), 0, "crm", 3) // Wednesday
	h := heatmap(t, s, now, history.HeatmapFilter{Weeks: 4, Zone: "UTC", App: "crm"})
	if len(h.Quiet) != 1 || h.Quiet[0] != (history.QuietWindow{Begin: clock(time.Wednesday, 10), Length: (7*24 - .5) * 60 * time.Minute, Weeks: 4}) {
		t.Errorf("of the app: %+v, %q", h.Quiet, h.Note)
	}
	for _, f := range []history.HeatmapFilter{{App: "cmr"}, {Organization: "Amce"}} {
		f.Weeks, f.Zone = 4, "UTC"
		if h := heatmap(t, s, now, f); len(h.Quiet) != 0 || h.Note != history.QuietUnknown {
			t.Errorf("of %+v: %+v, %q", f, h.Quiet, h.Note)
		}
	}
	for _, f := range []history.HeatmapFilter{{Weeks: 0, Zone: "UTC"}, {Weeks: 53, Zone: "UTC"}, {Weeks: 4}, {Weeks: 4, Zone: "Mars/Base"}, {Weeks: 4, Zone: "../../etc/passwd"}} {
		_, err := s.History.Heatmap(t.Context(), now, f)
		WantError(t, err, sqldb.ErrInvalid)
	}
}

func TestAHeatmapIsRememberedWhileTheSamplesAreTheSame(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	now := time.Date(2026, 2, 10, 12, 0, 0, 0, time.UTC)
	addSamples(t, db, now.AddDate(0, 0, -40), now, office)
	peak := func(now time.Time) int {
		return heatmap(t, s, now, history.HeatmapFilter{Weeks: 4, Zone: "UTC"}).Cells[clock(time.Wednesday, 9)/time.Hour].Peak
	}
	if n := peak(now); n != 5 {
		t.Fatalf("%d people at once", n)
	}
	for _, step := range []struct {
		name string
		do   func() error
		at   time.Time
	}{
		{"a new sample", func() error { return s.History.Sample(t.Context(), now) }, now.Add(time.Minute)},
		{"a cleanup", func() error { _, err := s.Cleanup(t.Context(), now); return err }, now.Add(time.Minute)},
		{"the next sample's time", func() error { return nil }, now.Add(history.SampleEvery)},
	} {
		before := peak(now)
		ExecSQL(t, db, `UPDATE activity_samples SET people = $1 WHERE at = $2`, before+1, time.Date(2026, 2, 4, 9, 30, 0, 0, time.UTC).UnixMilli())
		if n := peak(now.Add(history.SampleEvery - time.Second)); n != before {
			t.Errorf("before %s it was looked for again", step.name)
		}
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if n := peak(step.at); n != before+1 {
			t.Errorf("%s is not noticed: %d, want %d", step.name, n, before+1)
		}
	}
}
