package client

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// GateQuestion says whose presence matters to whoever deploys. Empty fields do nothing.
type GateQuestion struct {
	App          string
	Max          int // how many active people may be disturbed
	AllowCaution bool
	IgnoreRole   string
}

func (q GateQuestion) query() string {
	parameters := map[string]string{"app": q.App, "ignore_role": q.IgnoreRole}
	if q.Max != 0 {
		parameters["max"] = strconv.Itoa(q.Max)
	}
	if q.AllowCaution {
		parameters["allow"] = "caution"
	}
	return listQuery(0, parameters)
}

// Gate is the answer to "may I deploy?".
type Gate struct {
	Success   bool       `json:"success"` // yes
	Level     string     `json:"level"`   // clear, caution or hold
	Online    int        `json:"online"`
	Counts    Counts     `json:"counts"`
	Blocking  []InTheWay `json:"blocking"` // busy people first, then active, then idle ones; at most 100
	Quietest  *QuietTime `json:"quietest"` // nil while nobody knows
	Timestamp time.Time  `json:"timestamp"`
}

// InTheWay is somebody who would notice a deployment.
type InTheWay struct {
	ID               string     `json:"id"`
	Name             string     `json:"name"`
	Email            string     `json:"email"`
	Role             string     `json:"role"`
	OrganizationName string     `json:"organization_name"`
	TeamName         string     `json:"team_name"`
	Status           string     `json:"status"`
	StatusText       string     `json:"status_text"`
	StatusUntil      *time.Time `json:"status_until"`
	IdleSince        *time.Time `json:"idle_since"` // the last input; nil while not idle
	LastActivityAt   time.Time  `json:"last_activity_at"`
	Page             string     `json:"page"`
	Apps             []string   `json:"apps"`
}

// Gate asks whether anybody would notice a deployment now. A no is an answer, not an error.
func (c *Client) Gate(ctx context.Context, ask GateQuestion) (Gate, error) {
	raw, err := c.exchange(ctx, c.credential, "GET", "/admin/gate"+ask.query(), nil)
	var refused *Error
	if err != nil && !(errors.As(err, &refused) && strings.HasPrefix(refused.Code, "gate_")) {
		return Gate{}, err
	}
	var gate Gate
	if err := c.decode(raw, &gate); err != nil {
		return Gate{}, err
	}
	if !slices.Contains([]string{"clear", "caution", "hold"}, gate.Level) {
		return Gate{}, c.notOurs(errNoLevel)
	}
	return gate, nil
}
