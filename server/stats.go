package server

import (
	"net/http"
	"time"

	"rollcall/server/auth"
)

type statsAnswer struct {
	success
	OnlineUsers     int                 `json:"online_users"`
	ActiveSessions  int                 `json:"active_sessions"`
	ExpiredSessions int                 `json:"expired_sessions"`
	EndedSessions   int                 `json:"ended_sessions"`
	AverageMinutes  *float64            `json:"average_duration_minutes"`
	MedianMinutes   *float64            `json:"median_duration_minutes"`
	Organizations   []organizationStats `json:"organizations"`
	Apps            []appStats          `json:"apps"`
	PeakToday       *peak               `json:"peak_today"`
	LastCleanup     *cleanupRun         `json:"last_cleanup"`
}

type organizationStats struct {
	ID     *int64 `json:"organization_id"`
	Name   string `json:"organization_name"`
	Active int    `json:"active_sessions"`
}

type appStats struct {
	App    string `json:"app"`
	Active int    `json:"active_sessions"`
}

type peak struct {
	People int    `json:"people"`
	At     string `json:"at"`
}

type cleanupRun struct {
	At       string `json:"at"`
	Affected int64  `json:"affected_rows"`
	Purged   int64  `json:"purged_rows"`
}

// stats answers with figures about all sessions.
func (s *Server) stats(r *http.Request) (any, error) {
	st, err := s.store.Stats(r.Context(), s.now())
	if err != nil {
		return nil, err
	}
	answer := &statsAnswer{OnlineUsers: st.Online, ActiveSessions: st.Active, ExpiredSessions: st.Expired, EndedSessions: st.Ended,
		AverageMinutes: minutes(st.AverageDuration), MedianMinutes: minutes(st.MedianDuration),
		Organizations: []organizationStats{}, Apps: []appStats{}}
	for _, o := range st.Organizations {
		answer.Organizations = append(answer.Organizations, organizationStats(o))
	}
	for _, a := range st.Apps {
		answer.Apps = append(answer.Apps, appStats(a))
	}
	if p := st.PeakToday; p != nil {
		answer.PeakToday = &peak{People: p.People, At: timestamp(p.At)}
	}
	if c := st.LastCleanup; c != nil {
		answer.LastCleanup = &cleanupRun{At: timestamp(c.At), Affected: c.Ended, Purged: c.Purged}
	}
	return answer, nil
}

func minutes(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	m := d.Minutes()
	return &m
}

type cleanupAnswer struct {
	success
	AffectedRows int64 `json:"affected_rows"`
	PurgedRows   int64 `json:"purged_rows"`
}

// cleanup ends expired sessions and purges old ones, now.
func (s *Server) cleanup(r *http.Request) (any, error) {
	cleaned, err := s.store.CleanupBy(r.Context(), s.now(), auth.CallerOf(r).Actor())
	return &cleanupAnswer{AffectedRows: cleaned.Ended, PurgedRows: cleaned.Purged}, err
}
