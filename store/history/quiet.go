package history

import (
	"slices"
	"time"
)

const (
	quietWeeks   = 2  // of which at least something must be known: once is no habit
	quietWindows = 10 // named at most
)

// HalfHour is a half hour of the week, over some weeks.
type HalfHour struct {
	Known bool // in each of these weeks; of one that had a change of the clock instead, there is nothing to know
	Peak  int  // the most people online at once
}

// QuietWindow is a time of the week in which never more than Peak people were
// online in any of the last Weeks. It is in local time, and may run over
// midnight and over the end of the week.
type QuietWindow struct {
	Begin  time.Duration // after Monday 00:00
	Length time.Duration // up to all of a week
	Weeks  int
	Peak   int
}

// Quiet returns the longest times in which nobody was online; where there are
// none, those with the fewest people. What is not known is not quiet. The
// longest come first.
func Quiet(week [halfHours]HalfHour, weeks int) []QuietWindow {
	lowest, known := 0, false
	for _, half := range week {
		if half.Known && (!known || half.Peak < lowest) {
			lowest, known = half.Peak, true
		}
	}
	if !known {
		return nil
	}
	windows := runs(func(i int) bool { return week[i].Known && week[i].Peak == lowest })
	for i := range windows {
		windows[i].Weeks, windows[i].Peak = weeks, lowest
	}
	slices.SortStableFunc(windows, func(a, b QuietWindow) int { return int(b.Length - a.Length) })
	return windows[:min(len(windows), quietWindows)]
}

// runs finds where half hours in a row are quiet, around the week's end too.
func runs(quiet func(int) bool) (found []QuietWindow) {
	const half = 30 * time.Minute
	first := 0 // one that is not quiet, so that no run is cut in two
	for first < halfHours && quiet(first) {
		first++
	}
	if first == halfHours {
		return []QuietWindow{{Length: halfHours * half}}
	}
	length := 0
	for n := 1; n <= halfHours; n++ { // and back to the first
		i := (first + n) % halfHours
		if quiet(i) {
			length++
			continue
		}
		if length > 0 {
			begin := (i - length + halfHours) % halfHours
			found = append(found, QuietWindow{Begin: time.Duration(begin) * half, Length: time.Duration(length) * half})
		}
		length = 0
	}
	slices.SortFunc(found, func(a, b QuietWindow) int { return int(a.Begin - b.Begin) })
	return found
}

// Next returns when the window is open next, or now, in the zone of now.
func (w QuietWindow) Next(now time.Time) (from, to time.Time) {
	sinceMonday := (int(now.Weekday()) + 6) % 7
	for week := -1; ; week++ { // it may have begun before Monday
		clock := func(d time.Duration) time.Time {
			return time.Date(now.Year(), now.Month(), now.Day()-sinceMonday+7*week, 0, int(d/time.Minute), 0, 0, now.Location())
		}
		from, to = clock(w.Begin), clock(w.Begin+w.Length)
		if to.After(now) && to.After(from) { // a change of the clock may leave nothing of it
			return from, to
		}
	}
}

// NextQuiet returns the window that is open at now, or else opens next, in the
// zone of now. Of several it is the one that comes first in windows.
func NextQuiet(now time.Time, windows []QuietWindow) (next QuietWindow, from, to time.Time) {
	for _, w := range windows {
		begin, end := w.Next(now)
		if begin.Before(now) {
			begin = now
		}
		if from.IsZero() || begin.Before(from) {
			next, from, to = w, begin, end
		}
	}
	if !from.IsZero() {
		from, to = next.Next(now)
	}
	return next, from, to
}

// quiet looks for the quiet windows in as many of the weeks as there is history
// of. Whether somebody in particular was looked for tells a misspelling from a
// place where nobody ever is.
func (w *weeks) quiet(known int, particular bool) ([]QuietWindow, QuietNote) {
	n := min(known, len(w.tallies))
	if n < quietWeeks {
		return nil, QuietTooEarly
	}
	var week [halfHours]HalfHour
	highest := 0
	for i := range week {
		week[i].Known = true
		for _, tallies := range w.tallies[len(w.tallies)-n:] {
			t := tallies[i]
			week[i].Known = week[i].Known && t.known()
			week[i].Peak = max(week[i].Peak, t.peak)
		}
		highest = max(highest, week[i].Peak)
	}
	if particular && highest == 0 {
		return nil, QuietUnknown
	}
	windows := Quiet(week, n)
	if len(windows) == 0 {
		return nil, QuietGaps
	}
	return windows, ""
}

// known tells whether enough of a half hour is: one sample of six may be missing,
// because the server was restarted.
func (t tally) known() bool { return 6*(t.due-t.samples) <= t.due }
