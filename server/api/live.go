package api

import "rollcall/store/presence"

// Event is a message of the live feed. Which fields are set depends on Type: "hello", "reset",
// "online", "updated", "offline", "session_ended", "gate" or "notice". Readers pass over types
// that they do not know: later versions may have more.
type Event struct {
	Type      string             `json:"type"`
	Cursor    string             `json:"cursor"`            // to go on from after a lost connection
	User      *Person            `json:"user,omitempty"`    // of online, updated and offline
	Counts    *Counts            `json:"counts,omitempty"`  // of everybody online, from then on
	Level     presence.GateLevel `json:"level,omitempty"`   // that follows from the counts, where nobody may be disturbed
	Session   *EndedSession      `json:"session,omitempty"` // of session_ended
	UserID    string             `json:"user_id,omitempty"`
	Directory string             `json:"directory,omitempty"` // of UserID
	Reason    string             `json:"reason,omitempty"`    // of offline and session_ended
	Notice    *ShownNotice       `json:"notice,omitempty"`    // of notice, where there is a new one,
	Withdrawn string             `json:"withdrawn,omitempty"` // and the id of one that is over
	Timestamp Time               `json:"timestamp"`
}

// EndedSession is a session that has ended just now.
type EndedSession struct {
	ID  string `json:"id"`
	App string `json:"app"`
}

// OwnEvent is a message to somebody's own browser: of their own session, and of nobody else.
type OwnEvent struct {
	Type      string        `json:"type"`             // notices or session_ended
	Notices   []ShownNotice `json:"notices,omitzero"` // all that there are now
	Reason    string        `json:"reason,omitempty"` // why the session ended
	Timestamp Time          `json:"timestamp"`
}

// Opening is the first message of a page that opens a socket: it can send no header.
type Opening struct {
	Token string `json:"token"`
}
