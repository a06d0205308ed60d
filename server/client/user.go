package client

import (
	"context"
	"net/http"
	"net/url"
)

// User is a person of an application as Rollcall knows it.
type User struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Email        string `json:"email"`
	Role         string `json:"role"`
	Team         string `json:"team"`
	Organization string `json:"organization"`
	Access       string `json:"access"`
}

// PutUser creates or updates the user input.ID.
func (c *Client) PutUser(ctx context.Context, input UserInput) (User, error) {
	path := "/admin/users/" + url.PathEscape(input.ID)
	body := struct {
		UserInput
		ID string `json:"id,omitempty"` // in the path: an empty outer field hides the inner one
	}{UserInput: input}
	var answer struct {
		User User `json:"user"`
	}
	err := c.call(ctx, http.MethodPut, path, body, &answer)
	return answer.User, err
}

// DeleteUser removes a user with all sessions and tells how many of them were active.
func (c *Client) DeleteUser(ctx context.Context, id string) (endedSessions int, err error) {
	var answer struct {
		EndedSessions int `json:"ended_sessions"`
	}
	err = c.call(ctx, http.MethodDelete, "/admin/users/"+url.PathEscape(id), nil, &answer)
	return answer.EndedSessions, err
}
