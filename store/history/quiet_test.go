package history_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store/history"
)

func TestQuiet(t *testing.T) {
	const half = 30 * time.Minute
	type week = [336]history.HalfHour
	// with returns a week with so many people, but for what change does.
	with := func(people int, change func(w *week)) (w week) {
		for i := range w {
			w[i] = history.HalfHour{Known: true, Peak: people}
		}
		change(&w)
		return w
	}
	set := func(people int, from, to int) func(*week) {
		return func(w *week) {
			for i := from; i < to; i++ {
				w[i%336].Peak = people
			}
		}
	}
	window := func(begin, length, peak int) history.QuietWindow {
		return history.QuietWindow{Begin: time.Duration(begin) * half, Length: time.Duration(length) * half, Weeks: 4, Peak: peak}
	}
	for _, c := range []struct {
		name string
		week week
		want []history.QuietWindow
	}{
		{"nothing known", week{}, nil},
		{"always nobody", with(0, func(*week) {}), []history.QuietWindow{window(0, 336, 0)}},
		{"one half hour", with(3, set(0, 10, 11)), []history.QuietWindow{window(10, 1, 0)}},
		{"the first and the last of the week are one", with(3, set(0, 330, 340)), []history.QuietWindow{window(330, 10, 0)}},
		{"over midnight", with(3, set(0, 44, 54)), []history.QuietWindow{window(44, 10, 0)}},
		{"the longest first", with(3, func(w *week) { set(0, 10, 12)(w); set(0, 50, 60)(w); set(0, 90, 91)(w) }),
			[]history.QuietWindow{window(50, 10, 0), window(10, 2, 0), window(90, 1, 0)}},
		{"those of a length in their order", with(3, func(w *week) { set(0, 50, 52)(w); set(0, 10, 12)(w); set(0, 335, 337)(w) }),
			[]history.QuietWindow{window(10, 2, 0), window(50, 2, 0), window(335, 2, 0)}},
		{"never nobody: the fewest", with(7, func(w *week) { set(2, 10, 14)(w); set(3, 14, 30)(w) }), []history.QuietWindow{window(10, 4, 2)}},
		{"somebody always: all of it", with(7, func(*week) {}), []history.QuietWindow{window(0, 336, 7)}},
		{"the unknown cuts", with(3, func(w *week) { set(0, 10, 20)(w); w[14] = history.HalfHour{} }), []history.QuietWindow{window(15, 5, 0), window(10, 4, 0)}},
	} {
		if diff := cmp.Diff(c.want, history.Quiet(c.week, 4)); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
	many := with(3, func(w *week) {
		for i := 0; i < 336; i += 2 {
			w[i].Peak = 0
		}
	})
	if got := history.Quiet(many, 4); len(got) != 10 {
		t.Errorf("%d windows are named", len(got))
	}
}

func TestTheNextQuietWindow(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	night := history.QuietWindow{Begin: clock(time.Sunday, 22), Length: 8 * time.Hour} // until Monday 6 h
	missing := history.QuietWindow{Begin: clock(time.Sunday, 2), Length: time.Hour}
	noon := history.QuietWindow{Begin: clock(time.Tuesday, 12), Length: time.Hour}
	always := history.QuietWindow{Length: 7 * 24 * time.Hour}
	for _, c := range []struct {
		name      string
		windows   []history.QuietWindow
		now       string
		from, to  string
		wantFirst time.Duration
	}{
		{"later this week", []history.QuietWindow{night, noon}, "2026-02-10 09:00", "2026-02-10 12:00", "2026-02-10 13:00", noon.Begin},
		{"next week", []history.QuietWindow{noon}, "2026-02-10 13:00", "2026-02-17 12:00", "2026-02-17 13:00", noon.Begin},
		{"one that is open", []history.QuietWindow{noon, night}, "2026-02-10 12:30", "2026-02-10 12:00", "2026-02-10 13:00", noon.Begin},
		{"one that began last week", []history.QuietWindow{night}, "2026-02-09 05:59", "2026-02-08 22:00", "2026-02-09 06:00", night.Begin},
		{"of two that are open the first", []history.QuietWindow{always, night}, "2026-02-09 05:00", "2026-02-09 00:00", "2026-02-16 00:00", always.Begin},
		{"a night in which the clock is put forward", []history.QuietWindow{{Begin: clock(time.Saturday, 22), Length: 8 * time.Hour}}, "2026-03-28 12:00", "2026-03-28 22:00", "2026-03-29 06:00", clock(time.Saturday, 22)},
		{"the hour that is missing", []history.QuietWindow{missing}, "2026-03-28 12:00", "2026-04-05 02:00", "2026-04-05 03:00", missing.Begin},
		{"the hour that is there twice", []history.QuietWindow{missing}, "2026-10-24 12:00", "2026-10-25 02:00", "2026-10-25 03:00", missing.Begin},
	} {
		parse := func(text string) time.Time {
			at, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		w, from, to := history.NextQuiet(parse(c.now), c.windows)
		if w.Begin != c.wantFirst || !from.Equal(parse(c.from)) || !to.Equal(parse(c.to)) {
			t.Errorf("%s: %v from %v to %v", c.name, w.Begin, from, to)
		}
	}
	if _, from, _ := history.NextQuiet(time.Now(), nil); !from.IsZero() {
		t.Error("without windows there is a next one")
	}
}
