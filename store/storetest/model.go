package storetest

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
)

// Model is the rules as they are written for people: slow, in plain structs, and
// without a line of what it is held against.
type Model struct {
	Rules          presence.Rules
	Users          map[string]bool
	Reported       map[string]time.Time // when each was the last time
	Sessions       []*ModelSession
	Claims         []ModelClaim // latest first
	Strangers      map[ModelPage]ModelStranger
	Noted          map[ModelPage]time.Time // by the process that runs, of late
	presence.Slack                         // by which it is lenient, see [store.Store.SetSlack]
}

// ModelSession is a session of the model.
type ModelSession struct {
	User, App, Token string
	ID               int64
	Page             string
	Idle             time.Duration
	LastActivity     time.Time
	Heard            bool      // a heartbeat has come
	Leaving          time.Time // zero: it is not
	Expires          time.Time
	Ended            time.Time // zero: it has not
	Reason           presence.EndReason
	Client           *string              // who was heard last, nil for nobody who is there
	Clients          map[string]time.Time // when each of those who have not left was heard last
	Refused          time.Time            // its last heartbeat after that, with somebody at the page; zero for none, or where they have left
}

// ModelPage is a page whose token no session has.
type ModelPage struct{ Token, Client string }

// ModelStranger is somebody who may be at work in one.
type ModelStranger struct{ Seen, Until time.Time }

// ModelClaim is a claim of the model; App is "" where the person claims.
type ModelClaim struct {
	User string
	At   time.Time
	presence.Claim
}

// NewModel returns a model in which nobody is known.
func NewModel(rules presence.Rules) *Model {
	return &Model{Rules: rules, Users: map[string]bool{}, Reported: map[string]time.Time{}, Strangers: map[ModelPage]ModelStranger{}, Noted: map[ModelPage]time.Time{}}
}

// LoggedIn tells whether a session's token is still accepted.
func (m *Model) LoggedIn(s *ModelSession, now time.Time) bool {
	return s.Ended.IsZero() && now.Before(s.Expires.Add(m.Late+m.Silent))
}

// Online tells whether a session is online.
func (m *Model) Online(s *ModelSession, now time.Time) bool {
	silent := now.Sub(s.LastActivity)
	return m.LoggedIn(s, now) &&
		silent < m.window(s, m.Silent)+m.Late+m.Silent &&
		-silent <= m.Rules.OnlineWindow+m.Early &&
		(s.Leaving.IsZero() || now.Sub(s.Leaving) < m.Rules.LeaveGrace+m.Late)
}

// window is how long after the last activity a session is online: where that is the login, for
// two heartbeats only, unless these could not be recorded.
func (m *Model) window(s *ModelSession, silent time.Duration) time.Duration {
	if !s.Heard && silent == 0 && 2*m.Rules.Heartbeat < m.Rules.OnlineWindow {
		return 2 * m.Rules.Heartbeat
	}
	return m.Rules.OnlineWindow
}

// Latest is the session that a token stands for: it may have begun anew after it expired.
func (m *Model) Latest(token string) (latest *ModelSession) {
	for _, s := range m.Sessions {
		if s.Token == token {
			latest = s
		}
	}
	return latest
}

// Beat is a heartbeat of a session; it tells whether it is accepted.
func (m *Model) Beat(s *ModelSession, now time.Time, beat store.Beat) bool {
	if beat.Leaving {
		return m.leave(s, now, beat.Client)
	}
	if !m.LoggedIn(s, now) {
		if beat.Idle < m.Rules.IdleAfter || m.isBusy(s.User, now) {
			s.Refused = now
			s.hear(beat.Client, now)
		}
		return false
	}
	if s.Client == nil || *s.Client != beat.Client {
		maps.DeleteFunc(s.Clients, func(client string, heard time.Time) bool {
			return !m.isRecent(heard, now) && (s.Client == nil || client != *s.Client)
		})
	}
	s.Client = &beat.Client
	s.hear(beat.Client, now)
	s.LastActivity, s.Heard, s.Idle, s.Leaving = now, true, beat.Idle, time.Time{}
	if beat.Page != nil {
		s.Page = *beat.Page
	}
	if end := now.Add(m.Rules.SessionTTL); s.Idle < m.Rules.IdleAfter && end.After(s.Expires) {
		s.Expires = end
	}
	return true
}

// hear notes that a client is there.
func (s *ModelSession) hear(client string, now time.Time) {
	if s.Clients == nil {
		s.Clients = map[string]time.Time{}
	}
	s.Clients[client] = now
}

// isRecent tells whether a time is within the online window, or after now.
func (m *Model) isRecent(at, now time.Time) bool {
	return now.Sub(at) < m.Rules.OnlineWindow+m.Late+m.Silent
}

// leave is a goodbye, which counts where no other client was heard of late.
func (m *Model) leave(s *ModelSession, now time.Time, client string) bool {
	delete(s.Clients, client)
	live, others := m.LoggedIn(s, now), false
	for _, heard := range s.Clients {
		others = others || m.isRecent(heard, now) && heard.Sub(now) <= m.Rules.OnlineWindow+m.Early
	}
	switch {
	case live && !others:
		if s.Client != nil {
			delete(s.Clients, *s.Client) // who was heard last is gone, too
		}
		s.Leaving, s.Refused = now, time.Time{}
		return live
	case !others && m.isRecent(s.Refused, now):
		s.Refused = m.leftAt(now)
	}
	if s.Client != nil && *s.Client == client {
		s.Client = nil
	}
	return live
}

// End ends a session that is logged in.
func (m *Model) End(s *ModelSession, now time.Time, reason presence.EndReason) bool {
	if !m.LoggedIn(s, now) {
		s.Refused = time.Time{} // it is confirmed
		if s.Ended.IsZero() {   // and no clock brings it back
			s.Ended, s.Reason = s.Expires, presence.EndExpired
		}
		return false
	}
	s.Ended, s.Reason = now, reason
	return true
}

// Revoke ends a session without its application: who works in it is still there.
func (m *Model) Revoke(s *ModelSession, now time.Time, reason presence.EndReason) bool {
	refused := m.lingers(s, now)
	ended := m.End(s, now, reason)
	s.Refused = refused
	return ended
}

// lingers is when whoever is online by a session that others end now seems to have been refused last: they are there for
// two heartbeats, or what is left of the grace of their goodbye.
func (m *Model) lingers(s *ModelSession, now time.Time) time.Time {
	if !m.Online(s, now) {
		return s.Refused
	}
	since := now
	if two := 2 * m.Rules.Heartbeat; two < m.Rules.OnlineWindow && m.Silent == 0 {
		since = now.Add(two - m.Rules.OnlineWindow)
	}
	if !s.Leaving.IsZero() {
		since = m.leftAt(s.Leaving)
	}
	if since.After(s.Refused) {
		return since
	}
	return s.Refused
}

// leftAt is likewise for whoever said goodbye at a time: they are there for its grace.
func (m *Model) leftAt(at time.Time) time.Time {
	return at.Add(m.Rules.LeaveGrace - m.Rules.OnlineWindow - m.Silent)
}

// isBusy tells whether anybody claims that a user is busy.
func (m *Model) isBusy(user string, now time.Time) bool {
	return slices.ContainsFunc(m.Claims, func(c ModelClaim) bool {
		return c.User == user && c.Status == presence.StatusBusy && (c.Until == nil || now.Before(*c.Until))
	})
}

// SetStatus claims a status.
func (m *Model) SetStatus(user string, now time.Time, c presence.Claim) {
	m.ClearStatus(user, c.App)
	m.Claims = append(m.Claims, ModelClaim{user, now, c})
	slices.SortFunc(m.Claims, func(a, b ModelClaim) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.App, b.App)) })
}

// ClearStatus takes a claim back.
func (m *Model) ClearStatus(user, app string) {
	m.Claims = slices.DeleteFunc(m.Claims, func(c ModelClaim) bool { return c.User == user && c.App == app })
}

// DeleteUser forgets a user with everything. Who was there is there as a stranger.
func (m *Model) DeleteUser(user string, now time.Time) {
	if !m.Users[user] {
		return
	}
	m.forgetStrangers(now)
	for _, s := range m.Sessions {
		if s.User != user || s.App == presence.PanelApp {
			continue
		}
		if s.Refused = m.lingers(s, now); !m.refused(s, now) {
			continue
		}
		clients := map[string]bool{}
		if s.Client != nil {
			clients[*s.Client] = true
		}
		for client, heard := range s.Clients {
			if m.isRecent(heard, now) {
				clients[client] = true
			}
		}
		if len(clients) == 0 {
			clients[""] = true
		}
		for client := range clients {
			p, until := ModelPage{s.Token, client}, s.Refused.Add(m.Rules.OnlineWindow)
			if is := m.Strangers[p]; until.After(is.Until) { // else by a session of the same token that began anew
				m.Strangers[p] = ModelStranger{now, until}
			}
		}
	}
	delete(m.Users, user)
	m.Sessions = slices.DeleteFunc(m.Sessions, func(s *ModelSession) bool { return s.User == user })
	m.Claims = slices.DeleteFunc(m.Claims, func(c ModelClaim) bool { return c.User == user })
}

// BeatStranger is a heartbeat of a page whose token no session has.
func (m *Model) BeatStranger(p ModelPage, now time.Time, beat store.Beat) {
	is, known := m.Strangers[p]
	noted, ever := m.Noted[p]
	switch {
	case beat.Leaving:
		delete(m.Noted, p)
		if known && m.isUnexpired(is, now) {
			m.Strangers[p] = ModelStranger{is.Seen, now.Add(m.Rules.LeaveGrace)}
		}
	case beat.Idle >= m.Rules.IdleAfter, ever && now.Sub(noted).Abs() < 20*time.Second:
	default:
		m.forgetStrangers(now)
		m.Strangers[p] = ModelStranger{now, now.Add(150 * time.Second)}
		m.Noted[p] = now
	}
}

// forgetStrangers forgets those who do not count.
func (m *Model) forgetStrangers(now time.Time) {
	maps.DeleteFunc(m.Strangers, func(_ ModelPage, is ModelStranger) bool { return !m.isStranger(is, now) })
}

func (m *Model) isUnexpired(is ModelStranger, now time.Time) bool {
	return is.Until.After(now.Add(-m.Late - m.Silent))
}

// isStranger tells whether somebody counts as unidentified.
func (m *Model) isStranger(is ModelStranger, now time.Time) bool {
	return m.isUnexpired(is, now) && is.Seen.Sub(now) <= m.Rules.OnlineWindow+m.Early
}

// KnowToken forgets who may be at work with a token: it is reported.
func (m *Model) KnowToken(token string) {
	maps.DeleteFunc(m.Strangers, func(p ModelPage, _ ModelStranger) bool { return p.Token == token })
	maps.DeleteFunc(m.Noted, func(p ModelPage, _ time.Time) bool { return p.Token == token })
}

// Unidentified counts who may be at work, by their tokens.
func (m *Model) Unidentified(now time.Time) int {
	tokens := map[string]bool{}
	for p, is := range m.Strangers {
		if m.isStranger(is, now) {
			tokens[p.Token] = true
		}
	}
	return len(tokens)
}

// Cleanup ends what has expired, forgets what ended long ago and claims that ran
// out, and puts activity in the future back to where it is past.
func (m *Model) Cleanup(now time.Time) {
	if m.Late != 0 || m.Early != 0 {
		return
	}
	for _, s := range m.Sessions {
		if !m.refused(s, now) {
			s.Refused = time.Time{}
		}
		if s.Ended.IsZero() && s.LastActivity.Sub(now) > m.Rules.OnlineWindow {
			s.LastActivity, s.Heard = now.Add(-m.Rules.OnlineWindow-m.Silent), true // like whoever sets it by hand
			if s.Client != nil {
				if _, known := s.Clients[*s.Client]; known {
					s.Clients[*s.Client] = s.LastActivity
				}
			}
		}
		if s.Ended.IsZero() && !now.Before(s.Expires) {
			s.Ended, s.Reason = s.Expires, presence.EndExpired
		}
	}
	m.Sessions = slices.DeleteFunc(m.Sessions, func(s *ModelSession) bool {
		return !s.Ended.IsZero() && now.Sub(s.Ended) >= m.Rules.Retention
	})
	m.Claims = slices.DeleteFunc(m.Claims, func(c ModelClaim) bool { return c.Until != nil && !now.Before(*c.Until) })
	maps.DeleteFunc(m.Strangers, func(_ ModelPage, is ModelStranger) bool { return !m.isUnexpired(is, now) })
	m.purgePeople(now)
}

// purgePeople removes who is without a session for the retention.
func (m *Model) purgePeople(now time.Time) {
	old := func(t time.Time) bool { return now.Sub(t) >= m.Rules.Retention }
	for user := range m.Users {
		kept := !old(m.Reported[user]) ||
			slices.ContainsFunc(m.Sessions, func(s *ModelSession) bool { return s.User == user }) ||
			slices.ContainsFunc(m.Claims, func(c ModelClaim) bool { return c.User == user && (c.App != "" || !old(c.At)) })
		if !kept {
			m.DeleteUser(user, now)
		}
	}
}

// ModelPerson is a user as the list has to show them.
type ModelPerson struct {
	ID       string
	Status   presence.Status
	Rule     presence.Rule
	Text     string
	Until    time.Time       // zero: none
	Sessions []*ModelSession // online, latest activity first
}

// Shown is the session that had the latest input.
func (p ModelPerson) Shown() *ModelSession {
	return slices.MaxFunc(p.Sessions, func(a, b *ModelSession) int {
		return cmp.Or(a.LastActivity.Add(-a.Idle).Compare(b.LastActivity.Add(-b.Idle)), later(b, a))
	})
}

// Person says what a user is doing.
func (m *Model) Person(user string, now time.Time) ModelPerson {
	p := ModelPerson{ID: user}
	for _, s := range m.Sessions {
		if s.User == user && s.App != presence.PanelApp && m.Online(s, now) {
			p.Sessions = append(p.Sessions, s)
		}
	}
	slices.SortFunc(p.Sessions, later)
	switch claim, rule := m.claim(user, now); {
	case len(p.Sessions) == 0:
		p.Status, p.Rule = presence.StatusOffline, presence.RuleNoSession
	case rule != "":
		p.Status, p.Rule, p.Text = claim.Status, rule, claim.Text
		if claim.Until != nil {
			p.Until = *claim.Until
		}
	case slices.ContainsFunc(p.Sessions, func(s *ModelSession) bool { return s.Idle < m.Rules.IdleAfter }):
		p.Status, p.Rule = presence.StatusAvailable, presence.RuleActiveSession
	default:
		p.Status, p.Rule = presence.StatusAway, presence.RuleAllIdle
	}
	return p
}

// later puts the latest activity first, and of those at once the higher id.
func later(a, b *ModelSession) int {
	return cmp.Or(b.LastActivity.Compare(a.LastActivity), cmp.Compare(b.ID, a.ID))
}

// claim returns the claim that counts and by which rule, "" for none.
func (m *Model) claim(user string, now time.Time) (presence.Claim, presence.Rule) {
	for _, wanted := range []func(presence.Claim) bool{
		func(c presence.Claim) bool { return c.App == "" },
		func(c presence.Claim) bool { return c.App != "" && c.Status == presence.StatusBusy },
		func(c presence.Claim) bool { return c.App != "" },
	} {
		for _, c := range m.Claims {
			if c.User == user && (c.Until == nil || now.Before(*c.Until)) && wanted(c.Claim) {
				if c.App == "" {
					return c.Claim, presence.RulePersonClaim
				}
				return c.Claim, presence.RuleAppClaim
			}
		}
	}
	return presence.Claim{}, ""
}

// List is everybody who is online, most recent activity first.
func (m *Model) List(now time.Time) []ModelPerson {
	list := []ModelPerson{}
	for user := range m.Users {
		if p := m.Person(user, now); p.Status != presence.StatusOffline {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b ModelPerson) int { return later(a.Sessions[0], b.Sessions[0]) })
	return list
}

// refused tells whether somebody works in a page of a session that has ended.
func (m *Model) refused(s *ModelSession, now time.Time) bool {
	silent := now.Sub(s.Refused)
	return silent < m.Rules.OnlineWindow+m.Late+m.Silent && -silent <= m.Rules.OnlineWindow+m.Early
}

// StillThere counts who works after the end of their session, and is not online.
func (m *Model) StillThere(now time.Time) (n int) {
	for user := range m.Users {
		if m.Person(user, now).Status == presence.StatusOffline && slices.ContainsFunc(m.Sessions, func(s *ModelSession) bool {
			return s.User == user && s.App != presence.PanelApp && m.refused(s, now)
		}) {
			n++
		}
	}
	return n
}

// Left returns why a user who is offline may be said to be: several reasons
// where several applied in the same millisecond. It is by the rules alone, however lenient they are now.
func (m *Model) Left(user string) (reasons []presence.OfflineReason) {
	var last time.Time
	for _, s := range m.Sessions {
		if s.User != user || s.App == presence.PanelApp {
			continue
		}
		ways := map[presence.OfflineReason]time.Time{
			presence.OfflineTimedOut: s.LastActivity.Add(m.window(s, 0)), "expired": s.Expires,
		}
		if !s.Leaving.IsZero() {
			ways[presence.OfflineLeft] = s.Leaving.Add(m.Rules.LeaveGrace)
		}
		first := slices.MinFunc(slices.Collect(maps.Values(ways)), time.Time.Compare)
		if !s.Ended.IsZero() {
			first = slices.MinFunc([]time.Time{first, s.Ended}, time.Time.Compare)
			ways = map[presence.OfflineReason]time.Time{presence.OfflineReason(s.Reason): first}
		}
		if first.After(last) {
			last, reasons = first, nil
		}
		for reason, at := range ways {
			if at.Equal(first) && at.Equal(last) {
				reasons = append(reasons, reason)
			}
		}
	}
	return reasons
}
