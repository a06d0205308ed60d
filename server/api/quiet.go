package api

import (
	"fmt"
	"time"

	"rollcall/store/history"
)

// QuietWindow is a time of the week in which never more than Peak people were online.
type QuietWindow struct {
	Weekday   int    `json:"weekday"` // 1 is Monday
	From      string `json:"from"`    // such as 22:00
	ToWeekday int    `json:"to_weekday"`
	To        string `json:"to"` // midnight is 24:00 of the day before
	Minutes   int    `json:"minutes"`
	Weeks     int    `json:"weeks"` // that were looked at
	Peak      int    `json:"peak"`
	Words     string `json:"words"`
}

// QuietTime is when a quiet window is open next, or now.
type QuietTime struct {
	From  Time   `json:"from"`
	To    Time   `json:"to"`
	Peak  int    `json:"peak"`
	Words string `json:"words"`
}

var noteWords = map[history.QuietNote]string{
	history.QuietTooEarly: "Quiet times show in two weeks of history; there is less so far.",
	history.QuietGaps:     "There are too many gaps in the history to name a quiet time: no half hour of the week is known of every week.",
	history.QuietUnknown:  "Nobody of this app or organization was online in this time. Is it spelt as the application reports it?",
}

// weekdays begin with Monday, unlike those of package time.
var weekdays = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

const aDay = 24 * time.Hour

func quietWindowOf(w history.QuietWindow) QuietWindow {
	day, from := int(w.Begin/aDay), w.Begin%aDay
	lastDay, to := lastOf(w)
	answer := QuietWindow{Weekday: day + 1, From: hourWords(from), ToWeekday: lastDay + 1, To: hourWords(to),
		Minutes: int(w.Length / time.Minute), Weeks: w.Weeks, Peak: w.Peak}
	span := weekdays[day] + "s " + answer.From + " to "
	if lastDay != day || w.Length > aDay {
		span += weekdays[lastDay] + "s "
	}
	span += answer.To
	if w.Length == 7*aDay {
		span = "At any time"
	}
	answer.Words = span + ", " + crowdWords(w)
	return answer
}

// lastOf is the day on which a window ends, from 0 for Monday, and the time of
// that day: midnight still belongs to the day before.
func lastOf(w history.QuietWindow) (day int, to time.Duration) {
	end := w.Begin + w.Length
	day = int((end - 1) / aDay)
	return day % 7, end - time.Duration(day)*aDay
}

func hourWords(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", d/time.Hour, d%time.Hour/time.Minute)
}

// crowdWords say how quiet a window is, and how well that is known.
func crowdWords(w history.QuietWindow) string {
	people := "nobody"
	switch {
	case w.Peak == 1:
		people = "at most 1 person"
	case w.Peak > 1:
		people = fmt.Sprintf("at most %d people", w.Peak)
	}
	return fmt.Sprintf("%s in %d weeks", people, w.Weeks)
}

// nextQuiet returns the window that is open at now, in the zone of now, or opens
// next; nil without windows.
func nextQuiet(now time.Time, windows []history.QuietWindow) *QuietTime {
	if len(windows) == 0 {
		return nil
	}
	w, from, to := history.NextQuiet(now, windows)
	return &QuietTime{From: At(from), To: At(to), Peak: w.Peak, Words: nextWords(now, w, from, to) + ", " + crowdWords(w)}
}

func nextWords(now time.Time, w history.QuietWindow, from, to time.Time) string {
	if w.Length == 7*aDay {
		return "At any time"
	}
	begin, span := from, from.Format("Monday 15:04")+" to "
	if !from.After(now) {
		begin, span = now, "Now until "
	}
	end := to.Add(-1) // midnight still belongs to the day before
	if end.YearDay() != begin.YearDay() {
		span += end.Weekday().String() + " "
	}
	if clock := to.Format("15:04"); clock != "00:00" {
		return span + clock
	}
	return span + "24:00"
}
