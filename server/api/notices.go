package api

import "rollcall/store"

// Notices is what is announced now, and then what was.
type Notices struct {
	Notices []Notice `json:"notices"`
}

// PostedNotice answers the request to announce something.
type PostedNotice struct {
	Notice Notice `json:"notice"`
}

// Notice is an announcement as whoever made it wants to know of it.
type Notice struct {
	ID           string            `json:"id"`
	Message      string            `json:"message"`
	Level        store.NoticeLevel `json:"level"`
	App          string            `json:"app"`
	Organization string            `json:"organization"`
	CreatedAt    Time              `json:"created_at"`
	CreatedBy    string            `json:"created_by"`
	Until        *Time             `json:"until"` // null: until it is withdrawn
	WithdrawnAt  *Time             `json:"withdrawn_at"`
	State        string            `json:"state"` // active, over or withdrawn
	Seen         int               `json:"seen"`  // people
	Of           *int              `json:"of"`    // people; null once it is over
}

// NoticeOf is an announcement for an answer.
func NoticeOf(n store.ListedNotice) Notice {
	answer := Notice{ID: ID(n.ID), Message: n.Message, Level: n.Level, App: n.App, Organization: n.Organization, CreatedAt: At(n.CreatedAt),
		CreatedBy: n.CreatedBy, Until: AtOptional(n.Until), WithdrawnAt: AtOptional(n.WithdrawnAt), State: "over", Seen: n.Seen}
	switch {
	case n.Active:
		answer.State, answer.Of = "active", &n.Of
	case n.WithdrawnAt != nil:
		answer.State = "withdrawn"
	}
	return answer
}

// NoticeInput is an announcement that is to be made. Empty fields are not sent.
type NoticeInput struct {
	Message      string            `json:"message"`
	Level        store.NoticeLevel `json:"level,omitempty"`        // info, warning or critical
	App          string            `json:"app,omitempty"`          // only to people in this app
	Organization string            `json:"organization,omitempty"` // only to people of this organization
	Until        *Time             `json:"until,omitempty"`        // nil: until it is withdrawn
	ForMS        *int64            `json:"for_ms,omitempty"`       // instead of Until: how long from now, by the server's clock
}

// ShownNotice is an announcement, or a drain, as a person is shown it.
type ShownNotice struct {
	ID        string            `json:"id"`
	Kind      string            `json:"kind"` // notice or drain
	Message   string            `json:"message"`
	Level     store.NoticeLevel `json:"level"`
	Until     *Time             `json:"until"` // of a drain: when the session ends
	CreatedAt Time              `json:"created_at"`
}
