package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rollcall/server/api"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/history"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// maxDisturbed bounds how many available people a question may let pass.
const maxDisturbed = 1_000_000

// gate answers whether anybody would notice a deployment now.
func (s *Server) gate(r *http.Request) (any, error) {
	q, err := web.Query(r.URL.RawQuery, "app", "max", "allow", "ignore_role", "unidentified", "tz")
	if err != nil {
		return nil, err
	}
	ask, err := gateQuestion(q)
	if err != nil {
		return nil, err
	}
	if err := s.knownNames(r, q); err != nil {
		return nil, err
	}
	now := s.now()
	gate, err := s.store.Gate(r.Context(), now, ask)
	if err != nil {
		return nil, err
	}
	weeks, err := heatmapFilter(q)
	if err != nil {
		return nil, err
	}
	quietest, err := s.quietest(r.Context(), now, weeks)
	if err != nil {
		return nil, err
	}
	open := gate.Level == presence.GateClear || gate.Level == presence.GateCaution && q.Get("allow") == "caution"
	answer := api.GateOf(gate, open, now)
	answer.Quietest = quietest
	status := http.StatusOK
	if !open {
		status = http.StatusConflict
	}
	return web.Reply{Status: status, Body: answer, Complete: true}, nil
}

// quietPatience is how long a gate's answer waits for what is not needed for it.
const quietPatience = 100 * time.Millisecond

// quietest is when it is likely to be quiet next, nil where that is not there at once: it is then found out
// for whoever asks later.
func (s *Server) quietest(ctx context.Context, now time.Time, f history.HeatmapFilter) (*api.QuietTime, error) {
	ctx, cancel := context.WithTimeout(sqldb.WithCaller(ctx, ""), quietPatience)
	defer cancel()
	week, err := s.weeks(ctx, now, f)
	if errors.Is(err, sqldb.ErrInvalid) {
		return nil, err
	}
	if err != nil {
		return nil, nil // the level stands without it
	}
	return week.Next, nil
}

func gateQuestion(q url.Values) (ask store.GateQuestion, err error) {
	ask = store.GateQuestion{App: q.Get("app"), IgnoreRole: q.Get("ignore_role")}
	if allow := q.Get("allow"); allow != "" && allow != "caution" {
		return ask, web.Invalid("allow may be caution only")
	}
	if who := q.Get("unidentified"); who != "" && who != "ignore" {
		return ask, web.Invalid("unidentified may be ignore only")
	}
	ask.IgnoreUnidentified = q.Get("unidentified") == "ignore"
	if text := q.Get("max"); text != "" {
		if ask.Max, err = strconv.Atoi(text); err != nil || ask.Max < 0 || ask.Max > maxDisturbed {
			return ask, web.Invalid("max must be a number of people, at most " + strconv.Itoa(maxDisturbed))
		}
	}
	return ask, nil
}
