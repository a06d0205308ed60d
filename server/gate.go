package server

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/presence"
)

// gateAnswer is the gate's word, as a success or, where it is closed, as a
// failure that says who is in the way.
type gateAnswer struct {
	Success   bool               `json:"success"`
	Error     string             `json:"error,omitempty"`
	Code      string             `json:"code,omitempty"`
	Level     presence.GateLevel `json:"level"`
	Online    int                `json:"online"`
	Counts    counts             `json:"counts"`
	Blocking  []inTheWay         `json:"blocking"`
	Quietest  *quietTime         `json:"quietest"` // when it is likely to be quiet next; null while nobody knows
	Timestamp string             `json:"timestamp"`
}

func (a *gateAnswer) Stamp(now time.Time) { a.Success, a.Timestamp = a.Code == "", timestamp(now) }

// inTheWay is somebody who would notice a deployment.
type inTheWay struct {
	ID               string `json:"id"`
	Name             string `json:"name"`
	Email            string `json:"email"`
	Role             string `json:"role"`
	OrganizationName string `json:"organization_name"`
	TeamName         string `json:"team_name"`
	statusFields
	IdleSince      *string  `json:"idle_since"` // the last input; null while not idle
	LastActivityAt string   `json:"last_activity_at"`
	Page           string   `json:"page"`
	Apps           []string `json:"apps"`
}

// maxActive bounds how many active people a question may let pass.
const maxActive = 1_000_000

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
	now := s.now()
	gate, err := s.store.Gate(r.Context(), now, ask)
	if err != nil {
		return nil, err
	}
	week, err := s.weeks(r.Context(), now, store.HeatmapFilter{App: ask.App, Weeks: heatmapWeeks, Zone: cmp.Or(q.Get("tz"), serverZone)})
	if err != nil {
		return nil, err
	}
	answer := &gateAnswer{Level: gate.Level, Online: gate.Counts.People(), Counts: counts(gate.Counts), Blocking: []inTheWay{}, Quietest: week.Next}
	for _, person := range gate.Blocking {
		answer.Blocking = append(answer.Blocking, answerInTheWay(person, now))
	}
	if gate.Level == presence.GateClear || gate.Level == presence.GateCaution && q.Get("allow") == "caution" {
		return answer, nil
	}
	answer.Code, answer.Error = "gate_"+string(gate.Level), gateWords(gate.Counts)
	return web.Reply{Status: http.StatusConflict, Body: answer}, nil
}

func gateQuestion(q url.Values) (ask store.GateQuestion, err error) {
	ask = store.GateQuestion{App: q.Get("app"), IgnoreRole: q.Get("ignore_role")}
	if allow := q.Get("allow"); allow != "" && allow != "caution" {
		return ask, web.Invalid("allow may be caution only")
	}
	if text := q.Get("max"); text != "" {
		if ask.Max, err = strconv.Atoi(text); err != nil || ask.Max < 0 || ask.Max > maxActive {
			return ask, web.Invalid("max must be a number of people, at most " + strconv.Itoa(maxActive))
		}
	}
	return ask, nil
}

// gateWords says who is there, such as "1 busy, 3 active, 2 away".
func gateWords(c presence.Counts) (words string) {
	for _, kind := range []struct {
		people int
		word   string
	}{{c.Busy, "busy"}, {c.Available, "active"}, {c.Away, "away"}} {
		if kind.people == 0 {
			continue
		}
		if words != "" {
			words += ", "
		}
		words += fmt.Sprint(kind.people, " ", kind.word)
	}
	return words
}

func answerInTheWay(p store.OnlinePerson, now time.Time) inTheWay {
	u := answerPerson(p, now)
	answer := inTheWay{ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, OrganizationName: u.OrganizationName, TeamName: u.TeamName,
		statusFields: u.statusFields, LastActivityAt: u.LastActivityAt, Page: u.Page, Apps: u.Apps}
	if u.Idle { // of all sessions, as it is the one with the latest input
		input := p.Shown().LastInput
		answer.IdleSince = optional(&input)
	}
	return answer
}
