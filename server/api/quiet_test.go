package api

import (
	"testing"
	"time"

	"rollcall/store/history"
)

func TestWordsForQuietTimes(t *testing.T) {
	hours := func(n int) time.Duration { return time.Duration(n) * time.Hour }
	monday := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		begin, length, peak int
		words, next         string
	}{
		{6*24 + 3, 3, 0, "Sundays 03:00 to 06:00, nobody in 4 weeks", "Sunday 03:00 to 06:00, nobody in 4 weeks"},
		{4*24 + 18, 62, 0, "Fridays 18:00 to Mondays 08:00, nobody in 4 weeks", "Friday 18:00 to Monday 08:00, nobody in 4 weeks"},
		{5 * 24, 24, 2, "Saturdays 00:00 to 24:00, at most 2 people in 4 weeks", "Saturday 00:00 to 24:00, at most 2 people in 4 weeks"},
		{5 * 24, 48, 1, "Saturdays 00:00 to Sundays 24:00, at most 1 person in 4 weeks", "Saturday 00:00 to Sunday 24:00, at most 1 person in 4 weeks"},
		{8, 4, 0, "Mondays 08:00 to 12:00, nobody in 4 weeks", "Now until 12:00, nobody in 4 weeks"},
		{8, 24, 0, "Mondays 08:00 to Tuesdays 08:00, nobody in 4 weeks", "Now until Tuesday 08:00, nobody in 4 weeks"},
		{48, 167, 0, "Wednesdays 00:00 to Tuesdays 23:00, nobody in 4 weeks", "Now until Tuesday 23:00, nobody in 4 weeks"},
		{50, 167, 0, "Wednesdays 02:00 to Wednesdays 01:00, nobody in 4 weeks", "Now until Wednesday 01:00, nobody in 4 weeks"},
		{0, 168, 0, "At any time, nobody in 4 weeks", "At any time, nobody in 4 weeks"},
	} {
		w := history.QuietWindow{Begin: hours(c.begin), Length: hours(c.length), Weeks: 4, Peak: c.peak}
		if got := quietWindowOf(w).Words; got != c.words {
			t.Errorf("%q, want %q", got, c.words)
		}
		if got := nextQuiet(monday, []history.QuietWindow{w}).Words; got != c.next {
			t.Errorf("%q, want %q", got, c.next)
		}
	}
}
