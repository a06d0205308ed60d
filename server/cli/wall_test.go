package cli

import (
	"strings"
	"testing"
	"time"
)

func TestWhenANoticeEnds(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	now := time.Date(2026, 3, 2, 11, 40, 30, 0, zone)
	for until, want := range map[string]string{
		"11:41":                "until 11:41 CET, in 1m",
		"18:00":                "until 18:00 CET, in 6h20m",
		"00:05":                "until tomorrow 00:05 CET, in 12h25m", // not long ago, but not just now
		"10:40":                "until tomorrow 10:40 CET, in 23h0m",
		"2026-03-02T18:00:00Z": "until 19:00 CET, in 7h20m",
		"2026-03-03T11:39:00Z": "until tomorrow 12:39 CET, in 24h59m",
		"2026-03-04T00:00:00Z": "until 4 March 01:00 CET, in 37h20m",
	} {
		end, err := endOf(now, until, 0)
		if err != nil {
			t.Errorf("%s: %v", until, err)
		} else if got := untilWords(now, *end); got != want {
			t.Errorf("%s is %q, want %q", until, got, want)
		}
	}
	for _, over := range []string{"11:39", "11:40", "10:41"} {
		if _, err := endOf(now, over, 0); err == nil || !strings.Contains(err.Error(), "is over: here it is 11:40 CET; if you mean tomorrow, give --until 2026-03-03T"+over+":00+01:00") {
			t.Errorf("%s: %v", over, err)
		}
	}
}
