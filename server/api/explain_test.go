package api

import (
	"strings"
	"testing"
	"time"

	"rollcall/store/presence"
)

func TestEveryCauseIsSaidInWordsWithItsLimit(t *testing.T) {
	for cause, mentions := range map[presence.Cause]string{
		presence.CauseOutage: "1m30s", presence.CauseClockSet: "clock", presence.CauseLeaving: "1m30s", presence.CauseHeartbeat: "1m30s", presence.CauseLeft: "1m30s",
		presence.CauseFuture: "1m30s", presence.CauseTimedOut: "1m30s", presence.CauseExpired: "1m30s",
	} {
		if got := ruleText(presence.Reason{Cause: cause, Limit: 90 * time.Second}, ""); !strings.Contains(got, mentions) {
			t.Errorf("%s: %q", cause, got)
		}
	}
	for _, end := range []presence.EndReason{presence.EndLogout, presence.EndExpired, presence.EndRevoked, presence.EndEvicted, presence.EndPasswordChanged} {
		if ruleText(presence.Reason{Cause: presence.CauseEnded}, end) == "" {
			t.Errorf("nothing is said of %s", end)
		}
	}
}
