package live

import (
	"slices"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
)

func TestWhatIsNewsOfAPerson(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	person := func() store.OnlinePerson {
		session := func(id int64, page string) store.OnlineSession {
			return store.OnlineSession{Session: store.Session{ID: id, App: "shop", ExpiresAt: at}, CreatedAt: at, LastActivity: at, LastInput: at, Page: page,
				Origin: store.Origin{IPAddress: "192.0.2.7", UserAgent: "curl"}}
		}
		return store.OnlinePerson{User: store.User{ID: "ada"}, OrganizationID: new(int64(7)), Status: presence.StatusAvailable, StatusUntil: new(at),
			Sessions: []store.OnlineSession{session(1, "/a"), session(2, "/b"), session(3, "/b")}}
	}
	tracker := newTracker()
	for name, test := range map[string]struct {
		change func(*store.OnlinePerson)
		news   bool
	}{
		"nothing":                         {func(*store.OnlinePerson) {}, false},
		"the name":                        {func(p *store.OnlinePerson) { p.Name = "Ada" }, true},
		"the e-mail address":              {func(p *store.OnlinePerson) { p.Email = "a@x" }, true},
		"the role":                        {func(p *store.OnlinePerson) { p.Role = "editor" }, true},
		"the team":                        {func(p *store.OnlinePerson) { p.Team = "A" }, true},
		"the organization":                {func(p *store.OnlinePerson) { p.Organization = "Acme" }, true},
		"no organization":                 {func(p *store.OnlinePerson) { p.OrganizationID = nil }, true},
		"the status":                      {func(p *store.OnlinePerson) { p.Status = presence.StatusAway }, true},
		"the status's text":               {func(p *store.OnlinePerson) { p.StatusText = "Recording" }, true},
		"the status's end":                {func(p *store.OnlinePerson) { p.StatusUntil = new(at.Add(time.Minute)) }, true},
		"no end of the status":            {func(p *store.OnlinePerson) { p.StatusUntil = nil }, true},
		"a session's page":                {func(p *store.OnlinePerson) { p.Sessions[1].Page = "/c" }, true},
		"a session's address":             {func(p *store.OnlinePerson) { p.Sessions[1].IPAddress = "192.0.2.8" }, true},
		"a session's device":              {func(p *store.OnlinePerson) { p.Sessions[1].Device.Type = "tablet" }, true},
		"a session that is idle":          {func(p *store.OnlinePerson) { p.Sessions[1].Idle = true }, true},
		"one session less":                {func(p *store.OnlinePerson) { p.Sessions = p.Sessions[:2] }, true},
		"another session in its place":    {func(p *store.OnlinePerson) { p.Sessions[2].ID = 4 }, true},
		"shown by another session":        {func(p *store.OnlinePerson) { p.Sessions[1].LastInput = at.Add(time.Second) }, true},
		"which rule decides":              {func(p *store.OnlinePerson) { p.DecidedBy = presence.RulePersonClaim }, false},
		"what they may do here":           {func(p *store.OnlinePerson) { p.Access = store.AccessAdmin }, false},
		"a session's last activity":       {func(p *store.OnlinePerson) { p.Sessions[1].LastActivity = at.Add(time.Second) }, false},
		"a session's end":                 {func(p *store.OnlinePerson) { p.Sessions[1].ExpiresAt = at.Add(time.Second) }, false},
		"an input in the session shown":   {func(p *store.OnlinePerson) { p.Sessions[0].LastInput = at.Add(time.Second) }, false},
		"the order of sessions not shown": {func(p *store.OnlinePerson) { slices.Reverse(p.Sessions[1:]) }, false},
	} {
		p := person()
		test.change(&p)
		if news := tracker.fingerprint(p) != tracker.fingerprint(person()); news != test.news {
			t.Errorf("%s is news: %v", name, news)
		}
	}
	p, same := person(), person()
	p.Sessions[1].LastInput, same.Sessions[2].LastInput = at.Add(time.Second), at.Add(time.Second)
	if tracker.fingerprint(p) != tracker.fingerprint(same) {
		t.Error("shown by another session that looks the same is news")
	}
}
