package presence

import (
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

// Cause is why a session is in a state, or will be.
type Cause string

// The causes. Limit is that of their Reason; CauseStart is one of Unheard only.
const (
	CauseStart       Cause = "start"               // of the server: who came before may not be on record
	CauseOutage      Cause = "outage"              // no heartbeat could be recorded for the limit: who was there before still counts
	CauseClockSet    Cause = "clock_set"           // just now: what was before still counts as it did then
	CauseLeaving     Cause = "leaving"             // the last tab said goodbye less than the limit ago
	CauseHeartbeat   Cause = "heartbeat"           // the last one came less than the limit ago
	CauseLogin       Cause = "login"               // less than the limit ago: there was no time for a heartbeat yet
	CauseLeft        Cause = "leave_grace_over"    // no tab came back within the limit of the goodbye
	CauseFuture      Cause = "heartbeat_in_future" // by more than the limit: the clock was set back since
	CauseTimedOut    Cause = "online_window_over"  // no heartbeat came within the limit of the last
	CauseLoginOnly   Cause = "login_only"          // no heartbeat came within the limit of the login: it is a login, not presence
	CauseExpired     Cause = "session_ttl_over"    // nobody was active for the limit
	CauseEnded       Cause = "ended"               // as the session's EndReason says
	CauseClockCaught Cause = "clock_caught_up"     // with a heartbeat in the future
)

// Reason is a cause, with the length of time that it goes by; 0 for none.
type Reason struct {
	Cause Cause
	Limit time.Duration
}

// NextState is what becomes of a session of which nothing more is heard.
type NextState struct {
	State SessionState
	At    time.Time
	Reason
}

// State is OnlineRule in Go, with the reason where a session is not online.
func (r Rules) State(st SessionTimes, m Cutoffs) SessionState {
	left := st.Leaving != nil && *st.Leaving <= m.Grace
	switch {
	case st.Ended != nil:
		return StateEnded
	case st.Expires <= m.Expiry:
		return StateExpired
	case left && r.Departure(st.awaited(m)).Reason == OfflineLeft:
		return StateLeft
	case left, st.Activity <= m.window(st), st.Activity > m.Future:
		return StateTimedOut
	}
	return StateOnline
}

// Why returns the reason for which a session is in a state.
func (r Rules) Why(state SessionState, st SessionTimes, m Cutoffs) Reason {
	switch {
	case state == StateOnline && m.InOutage() && (st.Activity <= m.Now-(m.Late+r.window(st)).Milliseconds() || st.Expires <= m.Now-m.Late.Milliseconds()):
		return Reason{CauseOutage, m.Silent}
	case state == StateOnline && m.moved(st):
		return Reason{CauseClockSet, 0}
	case state == StateOnline && st.Leaving != nil:
		return Reason{CauseLeaving, r.LeaveGrace}
	case state == StateOnline && !st.Heard:
		return Reason{CauseLogin, r.LoginGrace()}
	case state == StateOnline:
		return Reason{CauseHeartbeat, r.OnlineWindow}
	case state == StateLeft:
		return Reason{CauseLeft, r.LeaveGrace}
	case state == StateTimedOut && st.Activity > m.Future:
		return Reason{CauseFuture, r.OnlineWindow}
	case state == StateTimedOut:
		return r.timedOut(st)
	case state == StateExpired:
		return Reason{CauseExpired, r.SessionTTL}
	}
	return Reason{CauseEnded, 0}
}

// timedOut is why a session is not online that was not heard of any more.
func (r Rules) timedOut(st SessionTimes) Reason {
	if !st.Heard {
		return Reason{CauseLoginOnly, r.LoginGrace()}
	}
	return Reason{CauseTimedOut, r.OnlineWindow}
}

// window is the cutoff for a session's last activity.
func (m Cutoffs) window(st SessionTimes) int64 {
	if st.Heard {
		return m.Window
	}
	return m.Login
}

// awaited is a session's stamps as if it had been heard of at the end of a silence.
func (st SessionTimes) awaited(m Cutoffs) SessionTimes {
	st.Activity += m.Silent.Milliseconds()
	st.Heard = st.Heard || m.InOutage()
	st.Expires += m.Silent.Milliseconds()
	return st
}

// moved tells whether only the allowance for a step of the clock keeps a session online.
func (m Cutoffs) moved(st SessionTimes) bool {
	late, early := m.Late.Milliseconds(), m.Early.Milliseconds()
	return st.Activity <= m.window(st)+late || st.Activity > m.Future-early ||
		st.Leaving != nil && *st.Leaving <= m.Grace+late || st.Expires <= m.Expiry+late
}

// Next is what time alone makes of a session first.
func (r Rules) Next(state SessionState, st SessionTimes, m Cutoffs) *NextState {
	late := m.Late.Milliseconds()
	next := r.onceGone(st, Departure{st.awaited(m).Expires, OfflineReason(EndExpired)}, late)
	switch {
	case state == StateEnded, state == StateExpired:
		return nil
	case state == StateOnline:
		st = st.awaited(m)
		next = r.onceGone(st, r.Departure(st), late)
	case state == StateTimedOut && st.Activity > m.Future:
		back := NextState{StateOnline, time.UnixMilli(st.Activity - (m.Future - m.Now)).UTC(), Reason{CauseClockCaught, 0}}
		if back.At.Before(next.At) {
			next = back
		}
		if d := r.Departure(st.awaited(m)); d.Reason == OfflineLeft && d.At+late <= next.At.UnixMilli() {
			next = r.onceGone(st, d, late)
		}
	}
	return &next
}

// onceGone is the state of a session after its departure.
func (r Rules) onceGone(st SessionTimes, d Departure, late int64) NextState {
	at := time.UnixMilli(d.At + late).UTC()
	switch d.Reason {
	case OfflineLeft:
		return NextState{StateLeft, at, Reason{CauseLeft, r.LeaveGrace}}
	case OfflineTimedOut:
		return NextState{StateTimedOut, at, r.timedOut(st)}
	}
	return NextState{StateExpired, at, Reason{CauseExpired, r.SessionTTL}}
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
