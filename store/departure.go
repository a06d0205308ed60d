package store

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

// sessionTimes are what decides whether a session is online, in milliseconds.
type sessionTimes struct {
	activity, expires int64
	leaving, ended    *int64
	reason            EndReason // where it has ended
}

// departure is when a session ceases to be online, and why.
type departure struct {
	at     int64
	reason OfflineReason
}

// departure returns which rule is the first to take a session from the list if
// nothing more is heard of it. Of one that has ended the reason is how it ended.
func (r Rules) departure(st sessionTimes) departure {
	first := departure{st.activity + r.OnlineWindow.Milliseconds(), OfflineTimedOut}
	if st.leaving != nil {
		first = earlier(departure{*st.leaving + r.LeaveGrace.Milliseconds(), OfflineLeft}, first)
	}
	first = earlier(departure{st.expires, OfflineReason(EndExpired)}, first)
	if st.ended != nil {
		first = departure{min(*st.ended, first.at), OfflineReason(st.reason)}
	}
	return first
}

// earlier returns the earlier departure, a where they are at once.
func earlier(a, b departure) departure {
	if b.at < a.at {
		return b
	}
	return a
}
