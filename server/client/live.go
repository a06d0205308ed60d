package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"

	"rollcall/server/api"
)

// maxEvent bounds one message of the feed: an entry with very many sessions is far smaller.
const maxEvent = 4 << 20

// Feed is an open live feed. Only one goroutine may read it.
type Feed struct {
	conn *websocket.Conn
}

// Live opens the live feed. With the cursor of a list or of an event, the server first sends what
// has happened since, or "reset" where it can not; nil begins now.
func (c *Client) Live(ctx context.Context, since *string) (*Feed, error) {
	if c.baseErr != nil {
		return nil, c.baseErr
	}
	address := c.base + "/admin/users/online/live"
	if since != nil {
		address += "?since=" + url.QueryEscape(*since)
	}
	header := http.Header{"User-Agent": {c.userAgent}}
	if c.credential != "" {
		header.Set("Authorization", "Bearer "+c.credential)
	}
	plain := *c.http
	plain.Timeout = 0 // it would end the feed as well
	conn, res, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: &plain, HTTPHeader: header, Host: c.host})
	if err != nil {
		return nil, c.dialError(res, err)
	}
	conn.SetReadLimit(maxEvent)
	return &Feed{conn}, nil
}

// dialError prefers what the server says to what the library makes of it.
func (c *Client) dialError(res *http.Response, err error) error {
	if res != nil && res.StatusCode >= 400 && res.Body != nil {
		raw := make([]byte, maxProblem)
		n, _ := res.Body.Read(raw) // the library keeps no more than a kilobyte of it
		return answerError(res, raw[:n])
	}
	return fmt.Errorf("following %s: %w", c.base, withoutURL(err))
}

const maxProblem = 1024

// Next waits for the next event. After the server closed the feed its error is a [FeedClosedError].
func (f *Feed) Next(ctx context.Context) (api.Event, error) {
	var event api.Event
	_, text, err := f.conn.Read(ctx)
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return event, &FeedClosedError{Code: int(closed.Code), Reason: closed.Reason}
	case err != nil:
		return event, fmt.Errorf("reading the live feed: %w", err)
	}
	if err := json.Unmarshal(text, &event); err != nil {
		return event, fmt.Errorf("the live feed is not Rollcall's: %w", err)
	}
	return event, nil
}

// Close ends the feed.
func (f *Feed) Close() { _ = f.conn.CloseNow() }

// FeedClosedError is why the server closed the live feed: 1008 where the credential is no longer
// good for it, 1012 for a restart, 1013 for a reader that is too slow (RFC 6455, section 7.4).
type FeedClosedError struct {
	Code   int
	Reason string
}

func (e *FeedClosedError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the server closed the live feed: %d %s", e.Code, e.Reason))
}
