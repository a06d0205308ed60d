package presence

import (
	"fmt"
	"strings"
	"time"
)

// SessionState is where a session stands.
type SessionState string

// The states.
const (
	StateOnline   SessionState = "online"
	StateLeft     SessionState = "left"
	StateTimedOut SessionState = "timed_out"
	StateExpired  SessionState = "expired" // and not cleaned up yet
	StateEnded    SessionState = "ended"
)

// NextState is what becomes of a session of which nothing more is heard.
type NextState struct {
	State   SessionState
	At      time.Time
	Because string // a sentence
}

// State is onlineRule in Go, with the reason where a session is not online.
func (r Rules) State(st SessionTimes, m Cutoffs) SessionState {
	left := st.Leaving != nil && *st.Leaving <= m.Grace
	switch {
	case st.Ended != nil:
		return StateEnded
	case st.Expires <= m.Expiry:
		return StateExpired
	case left && r.Departure(st.awaited(m)).Reason == OfflineLeft:
		return StateLeft
	case left, st.Activity <= m.Window, st.Activity > m.Future:
		return StateTimedOut
	}
	return StateOnline
}

// Sentence names the rule by which a session is in a state.
func (r Rules) Sentence(state SessionState, st SessionTimes, m Cutoffs) string {
	switch {
	case state == StateOnline && st.Activity <= m.Window+m.Silent.Milliseconds():
		return "No heartbeat could be recorded for " + Plain(m.Silent.Round(time.Second)) + ": who was there before still counts until they had the time to send one."
	case state == StateOnline && m.moved(st):
		return "The clock has just been set: what was before still counts as it did then."
	case state == StateOnline && st.Leaving != nil:
		return fmt.Sprintf("The last tab said goodbye less than %s ago (--leave-grace).", Plain(r.LeaveGrace))
	case state == StateOnline:
		return fmt.Sprintf("The last heartbeat came less than %s ago (--online-window).", Plain(r.OnlineWindow))
	case state == StateLeft:
		return fmt.Sprintf("The last tab said goodbye and none came back within %s (--leave-grace).", Plain(r.LeaveGrace))
	case state == StateTimedOut && st.Activity > m.Future:
		return fmt.Sprintf("The last heartbeat came more than %s in the future (--online-window): the clock was set back since.", Plain(r.OnlineWindow))
	case state == StateTimedOut:
		return fmt.Sprintf("No heartbeat came for %s (--online-window).", Plain(r.OnlineWindow))
	case state == StateExpired:
		return fmt.Sprintf("The login is over: nobody was active for %s (--session-ttl).", Plain(r.SessionTTL))
	}
	return ended[st.Reason]
}

// awaited is a session's stamps as if it had been heard of at the end of a silence.
func (st SessionTimes) awaited(m Cutoffs) SessionTimes {
	st.Activity += m.Silent.Milliseconds()
	return st
}

// moved tells whether only the allowance for a step of the clock keeps a session online.
func (m Cutoffs) moved(st SessionTimes) bool {
	late, early := m.Late.Milliseconds(), m.Early.Milliseconds()
	return st.Activity <= m.Window+late || st.Activity > m.Future-early ||
		st.Leaving != nil && *st.Leaving <= m.Grace+late || st.Expires <= m.Expiry+late
}

// ended says how a session ended.
var ended = map[EndReason]string{
	EndLogout:          "The application reported a logout.",
	EndExpired:         "The login was over and has been cleaned up (--session-ttl).",
	EndRevoked:         "An administrator ended the session.",
	EndPasswordChanged: "The password was changed.",
	EndEvicted:         "A later login took its place.",
}

// Next is what time alone makes of a session first.
func (r Rules) Next(state SessionState, st SessionTimes, m Cutoffs) *NextState {
	late := m.Late.Milliseconds()
	next := r.onceGone(Departure{st.Expires, OfflineReason(EndExpired)}, late)
	switch {
	case state == StateEnded, state == StateExpired:
		return nil
	case state == StateOnline:
		next = r.onceGone(r.Departure(st.awaited(m)), late)
	case state == StateTimedOut && st.Activity > m.Future:
		back := NextState{StateOnline, time.UnixMilli(st.Activity - (m.Future - m.Now)).UTC(), "By then the clock has caught up with the last heartbeat."}
		if back.At.Before(next.At) {
			next = back
		}
		if d := r.Departure(st.awaited(m)); d.Reason == OfflineLeft && d.At+late <= next.At.UnixMilli() {
			next = r.onceGone(d, late)
		}
	}
	return &next
}

// onceGone is the state after a departure.
func (r Rules) onceGone(d Departure, late int64) NextState {
	at := time.UnixMilli(d.At + late).UTC()
	switch d.Reason {
	case OfflineLeft:
		return NextState{StateLeft, at, fmt.Sprintf("Unless a tab comes back within %s of the goodbye (--leave-grace).", Plain(r.LeaveGrace))}
	case OfflineTimedOut:
		return NextState{StateTimedOut, at, fmt.Sprintf("Unless a heartbeat comes within %s of the last (--online-window).", Plain(r.OnlineWindow))}
	}
	return NextState{StateExpired, at, fmt.Sprintf("The login ends %s after the last activity (--session-ttl).", Plain(r.SessionTTL))}
}

// Plain is a duration as people write it: 5m, not 5m0s.
func Plain(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
