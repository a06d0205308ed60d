package api

import (
	"strconv"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
)

// Sessions is a page of the list of sessions.
type Sessions struct {
	Sessions   []ListedSession `json:"sessions"`
	NextCursor string          `json:"next_cursor"` // "" for none
	Timestamp  Time            `json:"timestamp,omitzero"`
}

// ListedSession is a session, which may have ended.
type ListedSession struct {
	ID               string                `json:"id"`
	App              string                `json:"app"`
	User             SessionUser           `json:"user"`
	State            presence.SessionState `json:"state"` // online, left, timed_out, expired or ended
	SessionStartedAt Time                  `json:"session_started_at"`
	LastActivityAt   Time                  `json:"last_activity_at"`
	ExpiresAt        Time                  `json:"expires_at"`
	EndedAt          *Time                 `json:"ended_at"`
	EndReason        *presence.EndReason   `json:"end_reason"`
	EndedBy          string                `json:"ended_by"` // where an admin did
	EndNote          string                `json:"end_note"`
	IPAddress        string                `json:"ip_address"`
	UserAgent        string                `json:"user_agent"`
	Device           Device                `json:"device"`
	Location         string                `json:"location"`
	Page             string                `json:"page"`
	DurationMinutes  int                   `json:"duration_minutes"`
}

// SessionUser is whose session it is.
type SessionUser struct {
	ID               string `json:"id"`
	Name             string `json:"name"`
	Email            string `json:"email"`
	OrganizationName string `json:"organization_name"`
	TeamName         string `json:"team_name"`
	Role             string `json:"role"`
	Directory        string `json:"directory"`
}

// SessionsOf are sessions for an answer: an empty list for none.
func SessionsOf(sessions []store.ListedSession, now time.Time) []ListedSession {
	answer := make([]ListedSession, len(sessions)) // not nil: JSON must say [], never null
	for i, session := range sessions {
		answer[i] = SessionOf(session, now)
	}
	return answer
}

// SessionOf is a session for an answer.
func SessionOf(l store.ListedSession, now time.Time) ListedSession {
	u := l.User
	return ListedSession{ID: ID(l.ID), App: l.App, State: l.State,
		User:             SessionUser{ID: u.ID, Name: u.Name, Email: u.Email, OrganizationName: u.Organization, TeamName: u.Team, Role: u.Role, Directory: u.Directory},
		SessionStartedAt: At(l.CreatedAt), LastActivityAt: At(l.LastActivity), ExpiresAt: At(l.ExpiresAt),
		EndedAt: AtOptional(l.EndedAt), EndReason: reasonOf(l.EndReason), EndedBy: l.EndedBy, EndNote: l.EndNote,
		IPAddress: l.IPAddress, UserAgent: l.UserAgent, Device: Device(l.Device), Location: l.Location, Page: l.Page,
		DurationMinutes: minutes(l.CreatedAt, over(l, now))}
}

// reasonOf is why a session ended, nil where it did not.
func reasonOf(reason presence.EndReason) *presence.EndReason {
	if reason == "" {
		return nil
	}
	return &reason
}

// over is until when a session has lasted.
func over(l store.ListedSession, now time.Time) time.Time {
	switch {
	case l.EndedAt != nil:
		return *l.EndedAt
	case l.State == presence.StateExpired:
		return l.ExpiresAt
	}
	return now
}

// Session is a login, as whoever is logged in gets to know of it.
type Session struct {
	ID        string `json:"id"`
	Token     string `json:"token,omitempty"` // only where the server made it just now
	App       string `json:"app,omitempty"`   // only where the caller does not know it
	ExpiresAt Time   `json:"expires_at"`
}

// OwnSession is a session for its owner.
func OwnSession(s store.Session) Session { return Session{ID: ID(s.ID), ExpiresAt: At(s.ExpiresAt)} }

// LoginReport is what an application's back end says of somebody who is logged in. Without a
// SessionToken the server makes one.
type LoginReport struct {
	User          UserInput `json:"user"`
	SessionToken  string    `json:"session_token,omitempty"`
	PreviousToken string    `json:"previous_token,omitempty"` // whose place SessionToken takes
	SessionKey    string    `json:"session_key,omitempty"`    // the application's own name for the session, of which only a hash is kept
	IPAddress     string    `json:"ip_address,omitempty"`
	UserAgent     string    `json:"user_agent,omitempty"`
}

// Login answers the report of one.
type Login struct {
	Session  Session        `json:"session"`
	Evicted  []string       `json:"evicted"`  // ids of the sessions that ended for it
	Warnings []LoginWarning `json:"warnings"` // what speaks against it; it counts all the same
}

// LoginWarning says what an application should do about a login.
type LoginWarning struct {
	Code    string `json:"code"`    // draining, taken_over, over_limit or access_capped
	Message string `json:"message"` // of a drain: for the person
}

// LoginOf is what a login led to, for an answer.
func LoginOf(result store.LoginResult) Login {
	answer := Login{Session: OwnSession(result.Session), Evicted: []string{}, Warnings: []LoginWarning{}}
	answer.Session.Token = result.Token
	for _, id := range result.Evicted {
		answer.Evicted = append(answer.Evicted, ID(id))
	}
	if result.Draining != nil {
		answer.warn("draining", result.Draining.Message)
	}
	if result.TakenOver {
		answer.warn("taken_over", "The token or key was of another user's session, which has ended; each login needs a token of its own")
	}
	if result.OverLimit {
		answer.warn("over_limit", "This user has more sessions in this application than may be")
	}
	if result.AccessCapped {
		answer.warn("access_capped", "This key may not set the user's access, which stays as it is")
	}
	return answer
}

func (l *Login) warn(code, message string) {
	l.Warnings = append(l.Warnings, LoginWarning{code, message})
}

// LoginQuestion asks whether somebody may log in.
type LoginQuestion struct {
	User UserInput `json:"user"` // of which the id and the role matter
}

// MayLogin answers it: where somebody may not, an error says why.
type MayLogin struct {
	May bool `json:"may"`
}

// SessionQuestion asks about a session by one of the two.
type SessionQuestion struct {
	SessionToken string `json:"session_token,omitempty"`
	SessionKey   string `json:"session_key,omitempty"`
}

// SessionState answers it.
type SessionState struct {
	Active    bool                `json:"active"`
	Session   *Session            `json:"session"`    // null of one that is not active
	EndReason *presence.EndReason `json:"end_reason"` // null of an active one, and of one that is unknown
}

// EndReport names what ends, by one of the first four.
type EndReport struct {
	SessionToken string             `json:"session_token,omitempty"`
	SessionKey   string             `json:"session_key,omitempty"`
	ID           string             `json:"id,omitempty"`
	User         string             `json:"user,omitempty"`         // all sessions of this user,
	ExceptToken  string             `json:"except_token,omitempty"` // but for one
	Reason       presence.EndReason `json:"reason,omitempty"`       // logout, which is the default, password_changed or revoked
}

// Ended answers it.
type Ended struct {
	Ended bool  `json:"ended"` // false: all had ended already
	Count int64 `json:"count"`
}

// Revocation says which sessions are to end: those that match the filters, of which there must be
// one, or all.
type Revocation struct {
	User         string             `json:"user,omitempty"`
	Directory    string             `json:"directory,omitempty"` // of User, where several have this id
	App          string             `json:"app,omitempty"`
	Organization string             `json:"organization,omitempty"`
	IP           string             `json:"ip,omitempty"`
	Device       string             `json:"device,omitempty"`
	From         string             `json:"from,omitempty"` // RFC 3339
	To           string             `json:"to,omitempty"`   // likewise
	Q            string             `json:"q,omitempty"`
	All          bool               `json:"all,omitempty"`    // without any filter
	State        store.SessionScope `json:"state,omitempty"`  // online, or active: the default
	Except       []string           `json:"except,omitempty"` // ids of sessions that stay
	Note         string             `json:"note,omitempty"`   // kept with them
	DryRun       bool               `json:"dry_run,omitempty"`
}

// Revoked is what has ended or, of a dry run, would.
type Revoked struct {
	DryRun    bool            `json:"dry_run"`
	Count     int64           `json:"count"`
	Sample    []ListedSession `json:"sample"` // the latest 20, as they were before
	Timestamp Time            `json:"timestamp,omitzero"`
}

// Heartbeat is what a browser says while a session is open.
type Heartbeat struct {
	SessionToken string  `json:"sessionToken,omitempty"` // where no header brings it
	IdleMS       int64   `json:"idle_ms,omitempty"`      // age of the last input, in milliseconds
	Visible      *bool   `json:"visible,omitempty"`      // informs nobody yet
	Page         *string `json:"page,omitempty"`
	Leaving      bool    `json:"leaving,omitempty"`

	Seen []string `json:"seen,omitempty"` // ids of notices that were shown

	Client string `json:"client,omitempty"` // a random name that the browser keeps; its goodbye is that of no other one with the same token
}

// HeartbeatAnswer is the server's to a heartbeat.
type HeartbeatAnswer struct {
	Session         Session       `json:"session"`
	Idle            bool          `json:"idle"`              // the next input is worth a heartbeat at once
	NextHeartbeatMS int64         `json:"next_heartbeat_ms"` // how long to wait, in milliseconds
	Notices         []ShownNotice `json:"notices"`
}

// usualLength is more than a usual answer has, in bytes.
const usualLength = 160

// isUsual tells whether there is nothing to announce, as nearly always.
func (a HeartbeatAnswer) isUsual() bool {
	return a.Notices != nil && len(a.Notices) == 0 && a.Session.Token == "" && a.Session.App == ""
}

// append writes what json.Marshal makes of a usual answer, but for the first brace: there are many.
func (a HeartbeatAnswer) append(text []byte) []byte {
	text = append(append(text, `"session":{"id":"`...), a.Session.ID...) // of digits
	text = a.Session.ExpiresAt.append(append(text, `","expires_at":`...))
	text = strconv.AppendBool(append(text, `},"idle":`...), a.Idle)
	text = strconv.AppendInt(append(text, `,"next_heartbeat_ms":`...), a.NextHeartbeatMS, 10)
	return append(text, `,"notices":[]}`...)
}
