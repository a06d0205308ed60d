package presence

import "time"

// OfflineReason is why somebody is not online: how the session that was online
// last ceased to be. "" of somebody who has no session on record.
type OfflineReason string

// The reasons besides those for which a session ends, which are an [EndReason].
const (
	OfflineLeft     OfflineReason = "left"      // said goodbye
	OfflineTimedOut OfflineReason = "timed_out" // was not heard of any more
)

// EndReason is why a session ended.
type EndReason string

// The reasons of this version.
const (
	EndLogout          EndReason = "logout"
	EndExpired         EndReason = "expired"
	EndRevoked         EndReason = "revoked"
	EndEvicted         EndReason = "evicted" // a later login took its place
	EndPasswordChanged EndReason = "password_changed"
	EndUserDeleted     EndReason = "user_deleted" // with the user, and so on no row
)

// BySomebody tells whether somebody ended it, so that no token brings it back: a session that only ran out of
// time may go on. False of "", one that has not ended.
func (r EndReason) BySomebody() bool { return r != "" && r != EndExpired }

// SessionTimes are what decides whether a session is online, in milliseconds.
type SessionTimes struct {
	Activity, Expires int64
	Heard             bool // a heartbeat has come, not only the login
	Leaving, Ended    *int64
	Reason            EndReason // where it has ended
}

// Departure is when a session ceases to be online, and why.
type Departure struct {
	At     int64
	Reason OfflineReason
}

// Departure returns which rule is the first to take a session from the list if
// nothing more is heard of it. Of one that has ended the reason is how it ended.
func (r Rules) Departure(st SessionTimes) Departure {
	first := Departure{st.Activity + r.window(st).Milliseconds(), OfflineTimedOut}
	if st.Leaving != nil {
		first = earlier(Departure{*st.Leaving + r.LeaveGrace.Milliseconds(), OfflineLeft}, first)
	}
	first = earlier(Departure{st.Expires, OfflineReason(EndExpired)}, first)
	if st.Ended != nil {
		first = Departure{min(*st.Ended, first.At), OfflineReason(st.Reason)}
	}
	return first
}

// window is for how long a session is online after its last activity.
func (r Rules) window(st SessionTimes) time.Duration {
	if st.Heard {
		return r.OnlineWindow
	}
	return r.LoginGrace()
}

// earlier returns the earlier departure, a where they are at once.
func earlier(a, b Departure) Departure {
	if b.At < a.At {
		return b
	}
	return a
}
