package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Explanation is why a person is online, or is not.
type Explanation struct {
	User struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"user"`
	Status    string             `json:"status"`
	DecidedBy string             `json:"decided_by"`
	Claims    []ExplainedClaim   `json:"claims"`
	Sessions  []ExplainedSession `json:"sessions"`
	Timestamp time.Time          `json:"timestamp"`
}

// ExplainedClaim is what somebody claims of the person: an app, or "person" themselves.
type ExplainedClaim struct {
	By     string     `json:"by"`
	Status string     `json:"status"`
	Text   string     `json:"text"`
	Until  *time.Time `json:"until"`
}

// ExplainedSession is one of the person's latest sessions with the rule that decides its state.
type ExplainedSession struct {
	ID              string         `json:"id"`
	App             string         `json:"app"`
	State           string         `json:"state"` // online, left, timed_out, expired or ended
	Idle            bool           `json:"idle"`
	Device          Device         `json:"device"`
	Location        string         `json:"location"`
	LastHeartbeatAt time.Time      `json:"last_heartbeat_at"`
	LastInputAt     time.Time      `json:"last_input_at"`
	LeavingAt       *time.Time     `json:"leaving_at"`
	ExpiresAt       time.Time      `json:"expires_at"`
	EndedAt         *time.Time     `json:"ended_at"`
	EndReason       *string        `json:"end_reason"`
	Rule            string         `json:"rule"` // a sentence
	Next            *ExplainedNext `json:"next"` // nil where time alone changes nothing
}

// ExplainedNext is what becomes of a session if nothing more is heard of it.
type ExplainedNext struct {
	State   string    `json:"state"`
	At      time.Time `json:"at"`
	Because string    `json:"because"`
}

// Explain reads why the user with this id is online, or is not.
func (c *Client) Explain(ctx context.Context, userID string) (Explanation, error) {
	var answer Explanation
	err := c.call(ctx, http.MethodGet, "/admin/users/"+url.PathEscape(userID)+"/explain", nil, &answer)
	return answer, err
}
