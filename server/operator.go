package server

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store/history"
)

// readyTimeout bounds the wait for the database: who asks gives up soon, and then
// takes the silence for the answer.
const readyTimeout = 2 * time.Second

// healthz tells that the process answers.
func (s *Server) healthz(*http.Request) (any, error) { return api.Nothing{}, nil }

// readyz tells that a heartbeat could be recorded, and that who is online can be listed.
func (s *Server) readyz(r *http.Request) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	err := s.store.DB().CanWrite(ctx)
	if err == nil {
		err = s.store.CanList(ctx)
	}
	return api.Nothing{}, err
}

// settings answers with what the server was started with.
func (s *Server) settings(*http.Request) (any, error) {
	return api.Settings{Settings: append([]api.Setting{}, s.cfg.Settings...)}, nil
}

// examine answers with what may be wrong with how the server is set up.
func (s *Server) examine(r *http.Request) (any, error) {
	findings, err := s.doctor.Examine(r, auth.CallerOf(r).Key)
	return api.Doctor{Findings: findings}, err
}

// cleanup ends expired sessions and purges old ones, now.
func (s *Server) cleanup(r *http.Request) (any, error) {
	cleaned, err := s.store.CleanupBy(r.Context(), s.now(), auth.CallerOf(r).Actor())
	return api.Cleanup{AffectedRows: cleaned.Ended, PurgedRows: cleaned.Purged}, err
}

// stats answers with figures about all sessions.
func (s *Server) stats(r *http.Request) (any, error) {
	st, err := s.store.Stats(r.Context(), s.now())
	if err != nil {
		return nil, err
	}
	return api.StatsOf(st), nil
}

const (
	historyRange = 24 * time.Hour // where the caller names no beginning
	heatmapWeeks = 4              // likewise
	serverZone   = "Local"
)

// activityOverTime answers with how many people were online over time.
func (s *Server) activityOverTime(r *http.Request) (any, error) {
	now := s.now()
	q, err := web.Query(r.URL.RawQuery, "from", "to", "app", "organization", "step")
	if err != nil {
		return nil, err
	}
	filter, err := activityFilter(q, now)
	if err != nil {
		return nil, err
	}
	if err := s.knownNames(r, q); err != nil {
		return nil, err
	}
	a, err := s.store.History.Activity(r.Context(), now, filter)
	if err != nil {
		return nil, err
	}
	return api.ActivityOf(a), nil
}

func activityFilter(q url.Values, now time.Time) (f history.ActivityFilter, err error) {
	from, err := web.ParseTime("from", q.Get("from"))
	if err != nil {
		return f, err
	}
	to, err := web.ParseTime("to", q.Get("to"))
	if err != nil {
		return f, err
	}
	to = cmp.Or(to, &now)
	f = history.ActivityFilter{To: *to, From: to.Add(-historyRange), App: q.Get("app"), Organization: q.Get("organization")}
	if from != nil {
		f.From = *from
	}
	if text := q.Get("step"); text != "" {
		if f.Step, err = time.ParseDuration(text); err != nil || f.Step <= 0 {
			return f, web.Invalid("step must be a duration such as 5m or 1h")
		}
	}
	return f, nil
}

// heatmap answers with how many people are online by weekday and hour, and when
// nobody is.
func (s *Server) heatmap(r *http.Request) (any, error) {
	q, err := web.Query(r.URL.RawQuery, "app", "organization", "weeks", "tz")
	if err != nil {
		return nil, err
	}
	filter, err := heatmapFilter(q)
	if err != nil {
		return nil, err
	}
	if err := s.knownNames(r, q); err != nil {
		return nil, err
	}
	return s.weeks(r.Context(), s.now(), filter)
}

func heatmapFilter(q url.Values) (f history.HeatmapFilter, err error) {
	f = history.HeatmapFilter{App: q.Get("app"), Organization: q.Get("organization"), Weeks: heatmapWeeks, Zone: cmp.Or(q.Get("tz"), serverZone)}
	if text := q.Get("weeks"); text != "" {
		if f.Weeks, err = strconv.Atoi(text); err != nil {
			return f, web.Invalid("weeks must be a number")
		}
	}
	return f, nil
}

func (s *Server) weeks(ctx context.Context, now time.Time, f history.HeatmapFilter) (api.Heatmap, error) {
	h, err := s.store.History.Heatmap(ctx, now, f)
	if err != nil {
		return api.Heatmap{}, err
	}
	zone, err := f.Location()
	if err != nil {
		return api.Heatmap{}, err
	}
	return api.HeatmapOf(h, f, now.In(zone)), nil
}
