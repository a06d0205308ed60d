package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

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

// Erase removes all that is held on a person. It can not be undone. It needs the
// scope admin.
func (c *Client) Erase(ctx context.Context, id string) (Erased, error) {
	var answer Erased
	err := c.call(ctx, http.MethodPost, "/admin/users/"+url.PathEscape(id)+"/erase", map[string]string{"confirm": id}, &answer)
	return answer, err
}

// Export returns the JSON document of all that is held on a person. It needs the
// scope admin.
func (c *Client) Export(ctx context.Context, id string) (json.RawMessage, error) {
	var answer json.RawMessage
	err := c.call(ctx, http.MethodGet, "/admin/users/"+url.PathEscape(id)+"/export", nil, &answer)
	return answer, err
}
