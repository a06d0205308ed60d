package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"rollcall/server/api"
)

func userPath(id string) string { return "/admin/users/" + url.PathEscape(id) }

// SetStatus claims a status of the user with this id, or of the person whose token the client has:
// "me". It returns the user's status then.
func (c *Client) SetStatus(ctx context.Context, userID string, claim api.StatusInput) (api.ShownStatus, error) {
	return ask[api.ShownStatus](ctx, c, http.MethodPut, userPath(userID)+"/status", claim)
}

// DeleteUser removes a user with all sessions and tells how many of them were active.
func (c *Client) DeleteUser(ctx context.Context, id string) (endedSessions int64, err error) {
	answer, err := ask[api.DeletedUser](ctx, c, http.MethodDelete, userPath(id), nil)
	return answer.EndedSessions, err
}

// inDirectory is what follows the address of a user where several may have the id; "" is any directory.
func inDirectory(directory string) string {
	return listQuery(0, map[string]string{"directory": directory})
}

// Erase removes all that is held on a person; of which directory needs to be said where several have
// the id, which else is an *Error with the code ambiguous_user. It can not be undone. It needs the
// scope admin.
func (c *Client) Erase(ctx context.Context, id, directory string) (api.Erased, error) {
	return ask[api.Erased](ctx, c, http.MethodPost, userPath(id)+"/erase"+inDirectory(directory), api.EraseInput{Confirm: id})
}

// Export returns the JSON document of all that is held on a person, as Erase finds them. It needs the
// scope admin.
func (c *Client) Export(ctx context.Context, id, directory string) (json.RawMessage, error) {
	return ask[json.RawMessage](ctx, c, http.MethodGet, userPath(id)+"/export"+inDirectory(directory), nil)
}
