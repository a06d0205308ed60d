package client

import (
	"context"
	"net/http"
	"time"
)

// Stats are the figures of the whole server.
type Stats struct {
	OnlineUsers            int                    `json:"online_users"`
	ActiveSessions         int                    `json:"active_sessions"`
	ExpiredSessions        int                    `json:"expired_sessions"` // and not cleaned up yet
	EndedSessions          int                    `json:"ended_sessions"`
	AverageDurationMinutes *float64               `json:"average_duration_minutes"` // nil: none has ended yet
	MedianDurationMinutes  *float64               `json:"median_duration_minutes"`
	Organizations          []OrganizationSessions `json:"organizations"`
	Apps                   []AppSessions          `json:"apps"`
	PeakToday              *Peak                  `json:"peak_today"`
	LastCleanup            *CleanupReport         `json:"last_cleanup"`
	Timestamp              time.Time              `json:"timestamp"`
}

// OrganizationSessions counts one organization's active sessions.
type OrganizationSessions struct {
	OrganizationID   *int64 `json:"organization_id"`
	OrganizationName string `json:"organization_name"`
	ActiveSessions   int    `json:"active_sessions"`
}

// AppSessions counts one application's active sessions.
type AppSessions struct {
	App            string `json:"app"`
	ActiveSessions int    `json:"active_sessions"`
}

// Peak is the moment with the most people online.
type Peak struct {
	People int       `json:"people"`
	At     time.Time `json:"at"`
}

// CleanupReport tells what a clean-up did, and when.
type CleanupReport struct {
	At           time.Time `json:"at"`
	AffectedRows int64     `json:"affected_rows"` // expired sessions ended
	PurgedRows   int64     `json:"purged_rows"`   // old rows removed
}

// Stats reads the figures.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	var stats Stats
	err := c.call(ctx, http.MethodGet, "/admin/stats", nil, &stats)
	return stats, err
}

// Cleanup ends expired sessions and removes those past retention. It needs the scope admin.
func (c *Client) Cleanup(ctx context.Context) (CleanupReport, error) {
	var answer struct {
		CleanupReport
		Timestamp time.Time `json:"timestamp"`
	}
	err := c.call(ctx, http.MethodPost, "/admin/users/cleanup-sessions", nil, &answer)
	answer.At = answer.Timestamp
	return answer.CleanupReport, err
}

// Health returns nil if the server is ready to serve.
func (c *Client) Health(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/readyz", nil, nil)
}
