package store

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

// state is onlineRule in Go, with the reason where a session is not online.
func (r Rules) state(st sessionTimes, m cutoffs) SessionState {
	left := st.leaving != nil && *st.leaving <= m.grace
	switch {
	case st.ended != nil:
		return StateEnded
	case st.expires <= m.expiry:
		return StateExpired
	case left && r.departure(st.awaited(m)).reason == OfflineLeft:
		return StateLeft
	case left, st.activity <= m.window, st.activity > m.future:
		return StateTimedOut
	}
	return StateOnline
}

// sentence names the rule by which a session is in a state.
func (r Rules) sentence(state SessionState, st sessionTimes, m cutoffs) string {
	switch {
	case state == StateOnline && st.activity <= m.window+m.silent.Milliseconds():
		return "No heartbeat could be recorded for " + plain(m.silent.Round(time.Second)) + ": who was there before still counts until they had the time to send one."
	case state == StateOnline && m.moved(st):
		return "The clock has just been set: what was before still counts as it did then."
	case state == StateOnline && st.leaving != nil:
		return fmt.Sprintf("The last tab said goodbye less than %s ago (--leave-grace).", plain(r.LeaveGrace))
	case state == StateOnline:
		return fmt.Sprintf("The last heartbeat came less than %s ago (--online-window).", plain(r.OnlineWindow))
	case state == StateLeft:
		return fmt.Sprintf("The last tab said goodbye and none came back within %s (--leave-grace).", plain(r.LeaveGrace))
	case state == StateTimedOut && st.activity > m.future:
		return fmt.Sprintf("The last heartbeat came more than %s in the future (--online-window): the clock was set back since.", plain(r.OnlineWindow))
	case state == StateTimedOut:
		return fmt.Sprintf("No heartbeat came for %s (--online-window).", plain(r.OnlineWindow))
	case state == StateExpired:
		return fmt.Sprintf("The login is over: nobody was active for %s (--session-ttl).", plain(r.SessionTTL))
	}
	return ended[st.reason]
}

// awaited is a session's stamps as if it had been heard of at the end of a silence.
func (st sessionTimes) awaited(m cutoffs) sessionTimes {
	st.activity += m.silent.Milliseconds()
	return st
}

// moved tells whether only the allowance for a step of the clock keeps a session online.
func (m cutoffs) moved(st sessionTimes) bool {
	late, early := m.late.Milliseconds(), m.early.Milliseconds()
	return st.activity <= m.window+late || st.activity > m.future-early ||
		st.leaving != nil && *st.leaving <= m.grace+late || st.expires <= m.expiry+late
}

// ended says how a session ended.
var ended = map[EndReason]string{
	EndLogout:          "The application reported a logout.",
	EndExpired:         "The login was over and has been cleaned up (--session-ttl).",
	EndRevoked:         "An administrator ended the session.",
	EndPasswordChanged: "The password was changed.",
	EndEvicted:         "A later login took its place.",
}

// next is what time alone makes of a session first.
func (r Rules) next(state SessionState, st sessionTimes, m cutoffs) *NextState {
	late := m.late.Milliseconds()
	next := r.onceGone(departure{st.expires, OfflineReason(EndExpired)}, late)
	switch {
	case state == StateEnded, state == StateExpired:
		return nil
	case state == StateOnline:
		next = r.onceGone(r.departure(st.awaited(m)), late)
	case state == StateTimedOut && st.activity > m.future:
		back := NextState{StateOnline, fromMillis(st.activity - (m.future - m.now)), "By then the clock has caught up with the last heartbeat."}
		if back.At.Before(next.At) {
			next = back
		}
		if d := r.departure(st.awaited(m)); d.reason == OfflineLeft && d.at+late <= millis(next.At) {
			next = r.onceGone(d, late)
		}
	}
	return &next
}

// onceGone is the state after a departure.
func (r Rules) onceGone(d departure, late int64) NextState {
	at := fromMillis(d.at + late)
	switch d.reason {
	case OfflineLeft:
		return NextState{StateLeft, at, fmt.Sprintf("Unless a tab comes back within %s of the goodbye (--leave-grace).", plain(r.LeaveGrace))}
	case OfflineTimedOut:
		return NextState{StateTimedOut, at, fmt.Sprintf("Unless a heartbeat comes within %s of the last (--online-window).", plain(r.OnlineWindow))}
	}
	return NextState{StateExpired, at, fmt.Sprintf("The login ends %s after the last activity (--session-ttl).", plain(r.SessionTTL))}
}

// plain is a duration as people write it: 5m, not 5m0s.
func plain(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
