package api

import (
	"time"

	"rollcall/store"
)

// Stats are the figures of the whole server.
type Stats struct {
	OnlineUsers            int                    `json:"online_users"`
	ActiveSessions         int                    `json:"active_sessions"`  // that are logged in
	ExpiredSessions        int                    `json:"expired_sessions"` // and not cleaned up yet
	EndedSessions          int                    `json:"ended_sessions"`
	AverageDurationMinutes *float64               `json:"average_duration_minutes"` // null: none has ended yet
	MedianDurationMinutes  *float64               `json:"median_duration_minutes"`
	Organizations          []OrganizationSessions `json:"organizations"`      // most sessions first, at most 200
	MoreOrganizations      int                    `json:"more_organizations"` // with active sessions, too
	Apps                   []AppSessions          `json:"apps"`               // likewise
	MoreApps               int                    `json:"more_apps"`
	PeakToday              *Peak                  `json:"peak_today"`   // of the day in UTC
	LastCleanup            *CleanupRun            `json:"last_cleanup"` // null before the first
}

// OrganizationSessions counts one organization's active sessions.
type OrganizationSessions struct {
	OrganizationID   *int64 `json:"organization_id"` // null: of people without one
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
	People int  `json:"people"`
	At     Time `json:"at"`
}

// CleanupRun tells what a cleanup did, and when.
type CleanupRun struct {
	At Time `json:"at"`
	Cleanup
}

// Cleanup is what a cleanup has done.
type Cleanup struct {
	AffectedRows int64 `json:"affected_rows"` // expired sessions ended
	PurgedRows   int64 `json:"purged_rows"`   // sessions, users and organizations removed that were past their retention
}

// StatsOf are the figures for an answer.
func StatsOf(st store.Stats) Stats {
	answer := Stats{OnlineUsers: st.Online, ActiveSessions: st.Active, ExpiredSessions: st.Expired, EndedSessions: st.Ended,
		AverageDurationMinutes: inMinutes(st.AverageDuration), MedianDurationMinutes: inMinutes(st.MedianDuration),
		Organizations: []OrganizationSessions{}, MoreOrganizations: st.MoreOrganizations, Apps: []AppSessions{}, MoreApps: st.MoreApps}
	for _, o := range st.Organizations {
		answer.Organizations = append(answer.Organizations, OrganizationSessions{o.ID, o.Name, o.Active})
	}
	for _, a := range st.Apps {
		answer.Apps = append(answer.Apps, AppSessions{a.App, a.Active})
	}
	if p := st.PeakToday; p != nil {
		answer.PeakToday = &Peak{p.People, At(p.At)}
	}
	if c := st.LastCleanup; c != nil {
		answer.LastCleanup = &CleanupRun{At(c.At), Cleanup{c.Ended, c.Purged}}
	}
	return answer
}

func inMinutes(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	return new(d.Minutes())
}
