package api

import (
	"strings"

	"rollcall/store"
)

// UserInput is what an application tells about a user. A nil field keeps what is stored, an empty
// one clears it.
type UserInput struct {
	ID           string        `json:"id,omitempty"` // in the path where there is one
	Name         *string       `json:"name,omitempty"`
	FirstName    *string       `json:"first_name,omitempty"` // instead of Name
	LastName     *string       `json:"last_name,omitempty"`
	Email        *string       `json:"email,omitempty"`
	Role         *string       `json:"role,omitempty"`
	Team         *string       `json:"team,omitempty"`
	Organization *string       `json:"organization,omitempty"`
	Access       *store.Access `json:"access,omitempty"`
}

// ForStore is the user as the store takes one.
func (in UserInput) ForStore() store.UserInput {
	return store.UserInput{ID: in.ID, Name: in.fullName(), Email: in.Email, Role: in.Role,
		Team: in.Team, Organization: in.Organization, Access: in.Access}
}

// fullName is the name, or first and last name together, or nil for none.
func (in UserInput) fullName() *string {
	if in.Name != nil || in.FirstName == nil && in.LastName == nil {
		return in.Name
	}
	var parts []string
	for _, part := range []*string{in.FirstName, in.LastName} {
		if part != nil && *part != "" {
			parts = append(parts, *part)
		}
	}
	return new(strings.Join(parts, " "))
}

// User is a person of an application.
type User struct {
	ID           string       `json:"id"`
	Directory    string       `json:"directory"`
	Name         string       `json:"name"`
	Email        string       `json:"email"`
	Role         string       `json:"role"`
	Team         string       `json:"team"`
	Organization string       `json:"organization"`
	Access       store.Access `json:"access"` // to the panel
}

// UserOf is a user for an answer.
func UserOf(u store.User) User {
	return User{ID: u.ID, Directory: u.Directory, Name: u.Name, Email: u.Email, Role: u.Role, Team: u.Team, Organization: u.Organization, Access: u.Access}
}

// StoredUser answers the request to store a user.
type StoredUser struct {
	User User `json:"user"`
}

// DeletedUser answers the request to delete a user.
type DeletedUser struct {
	EndedSessions int64 `json:"ended_sessions"` // that were logged in
}

// EraseInput repeats the id of the person: what is erased can not be brought back.
type EraseInput struct {
	Confirm string `json:"confirm"`
}

// Erased is what was removed of a person.
type Erased struct {
	Sessions    int64 `json:"sessions"`
	Claims      int64 `json:"claims"`
	NoticesSeen int64 `json:"notices_seen"`
	Visits      int64 `json:"visits"`
	Account     bool  `json:"account"`
	Mentions    int64 `json:"mentions"` // entries that no longer name the person
	Complete    bool  `json:"complete"` // else the files still have traces, and the server tries again every hour
}

// ErasedOf is what was removed, for an answer.
func ErasedOf(e store.Erased) Erased {
	return Erased{Sessions: e.Sessions, Claims: e.Claims, NoticesSeen: e.Receipts, Visits: e.Visits,
		Account: e.Account, Mentions: e.Mentions, Complete: e.Complete}
}
