package client

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rollcall/server/api"
	"rollcall/store/presence"
)

// GateQuestion says whose presence matters to whoever deploys. Empty fields do nothing.
type GateQuestion struct {
	App          string
	Max          int // how many available people may be disturbed
	AllowCaution bool
	IgnoreRole   string

	IgnoreUnidentified bool // who may be at work and is on no record does not count
}

func (q GateQuestion) query() string {
	parameters := map[string]string{"app": q.App, "ignore_role": q.IgnoreRole}
	if q.Max != 0 {
		parameters["max"] = strconv.Itoa(q.Max)
	}
	if q.AllowCaution {
		parameters["allow"] = "caution"
	}
	if q.IgnoreUnidentified {
		parameters["unidentified"] = "ignore"
	}
	return listQuery(0, parameters)
}

// Gate asks whether anybody would notice a deployment now. A no is an answer, not an error. It is a yes where the level is
// one, too, whatever else the answer says: something in between may have made it.
func (c *Client) Gate(ctx context.Context, ask GateQuestion) (api.Gate, error) {
	raw, err := c.exchange(ctx, c.credential, http.MethodGet, "/admin/gate"+ask.query(), nil)
	var refused *Error
	if err != nil && !(errors.As(err, &refused) && strings.HasPrefix(refused.Code, "gate_")) {
		return api.Gate{}, err
	}
	var gate api.Gate
	if err := c.decode(raw, &gate); err != nil {
		return api.Gate{}, err
	}
	if !slices.Contains([]presence.GateLevel{presence.GateClear, presence.GateCaution, presence.GateHold}, gate.Level) {
		return api.Gate{}, c.notOurs(errNoLevel)
	}
	gate.Success = gate.Success && (gate.Level == presence.GateClear || gate.Level == presence.GateCaution && ask.AllowCaution)
	return gate, nil
}

// Drain tells whether new logins are kept out.
func (c *Client) Drain(ctx context.Context) (api.Drain, error) {
	return c.drain(ctx, http.MethodGet, nil)
}

// BeginDrain keeps new logins out, or changes what a drain says. It needs the scope admin.
func (c *Client) BeginDrain(ctx context.Context, in api.DrainInput) (api.Drain, error) {
	return c.drain(ctx, http.MethodPut, in)
}

// EndDrain lets people log in again.
func (c *Client) EndDrain(ctx context.Context) (api.Drain, error) {
	return c.drain(ctx, http.MethodDelete, nil)
}

func (c *Client) drain(ctx context.Context, method string, body any) (api.Drain, error) {
	d, err := ask[api.Drain](ctx, c, method, "/admin/drain", body)
	if err == nil && (d.Timestamp.IsZero() || d.Draining && d.StartedAt == nil) {
		return api.Drain{}, c.notOurs(errNoTime)
	}
	return d, err
}
