package server

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"

	"rollcall/server/api"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/history"
	"rollcall/store/presence"
)

// maxDisturbed bounds how many available people a question may let pass.
const maxDisturbed = 1_000_000

// gate answers whether anybody would notice a deployment now.
func (s *Server) gate(r *http.Request) (any, error) {
	q, err := web.Query(r.URL.RawQuery, "app", "max", "allow", "ignore_role", "tz")
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
	week, err := s.weeks(r.Context(), now, history.HeatmapFilter{App: ask.App, Weeks: heatmapWeeks, Zone: cmp.Or(q.Get("tz"), serverZone)})
	if err != nil {
		return nil, err
	}
	open := gate.Level == presence.GateClear || gate.Level == presence.GateCaution && q.Get("allow") == "caution"
	answer := api.GateOf(gate, open, now)
	answer.Quietest = week.Next
	status := http.StatusOK
	if !open {
		status = http.StatusConflict
	}
	return web.Reply{Status: status, Body: answer, Complete: true}, nil
}

func gateQuestion(q url.Values) (ask store.GateQuestion, err error) {
	ask = store.GateQuestion{App: q.Get("app"), IgnoreRole: q.Get("ignore_role")}
	if allow := q.Get("allow"); allow != "" && allow != "caution" {
		return ask, web.Invalid("allow may be caution only")
	}
	if text := q.Get("max"); text != "" {
		if ask.Max, err = strconv.Atoi(text); err != nil || ask.Max < 0 || ask.Max > maxDisturbed {
			return ask, web.Invalid("max must be a number of people, at most " + strconv.Itoa(maxDisturbed))
		}
	}
	return ask, nil
}
