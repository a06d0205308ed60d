package server

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"rollcall/server/api"
	"rollcall/server/origin"
	"rollcall/store"
)

// appProfile is what the latest sessions of an application have in common.
type appProfile struct {
	app       string
	people    map[string]bool
	addresses map[string]bool
	settled   int  // sessions that should have sent a heartbeat
	beaten    bool // one has
}

// Of so many sessions; from so many on it is no accident that they are alike.
const (
	lookedAt = 200
	enough   = 3
)

// appsIn looks at the latest sessions, by application.
func (s *Server) appsIn(ctx context.Context, now time.Time) ([]*appProfile, error) {
	page, err := s.store.Sessions(ctx, now, store.SessionFilter{State: store.ScopeActive, Limit: lookedAt})
	if err != nil {
		return nil, err
	}
	var apps []*appProfile
	for _, session := range page.Sessions {
		i := slices.IndexFunc(apps, func(a *appProfile) bool { return a.app == session.App })
		if i < 0 {
			i = len(apps)
			apps = append(apps, &appProfile{app: session.App, people: map[string]bool{}, addresses: map[string]bool{}})
		}
		apps[i].add(session, now.Add(-3*s.cfg.Heartbeat))
	}
	return apps, nil
}

func (a *appProfile) add(session store.ListedSession, settled time.Time) {
	a.people[session.User.ID], a.addresses[session.IPAddress] = true, true
	a.beaten = a.beaten || session.LastActivity.After(session.CreatedAt)
	if session.CreatedAt.Before(settled) {
		a.settled++
	}
}

// heartbeatsFinding tells of applications that report logins, and whose pages are silent.
func (s *Server) heartbeatsFinding(apps []*appProfile) api.Finding {
	for _, a := range apps {
		if !a.beaten && a.settled >= enough {
			return api.Warning("heartbeats", fmt.Sprintf("%d logins of %s, and no heartbeat of any", a.settled, a.app),
				"Who is logged in there is not seen online. Its pages need the script tag: README, Start, step 2, or Integrate in the panel:",
				`<script src="`+s.publicAddress()+`/heartbeat.js" data-token-from="localStorage:accessToken" defer></script>`)
		}
	}
	return api.Fine("heartbeats", "No application that reports logins lacks them")
}

func (s *Server) publicAddress() string {
	if s.cfg.PublicURL == nil {
		return "https://rollcall.example" + s.cfg.BasePath
	}
	return s.cfg.PublicURL.String() + s.cfg.BasePath
}

// addressesFinding tells of applications that report their proxy's address as
// everybody's. People in one office share one too, but no private one.
func (s *Server) addressesFinding(apps []*appProfile) api.Finding {
	if rule := s.cfg.Origin.Addresses; rule == origin.TruncatedAddresses || rule == origin.NoAddresses {
		return api.Fine("addresses", "Are not kept as they are (--ip "+string(rule)+")")
	}
	for _, a := range apps {
		if len(a.people) < enough || len(a.addresses) != 1 {
			continue
		}
		for address := range a.addresses {
			if addr, err := netip.ParseAddr(address); err == nil && origin.Inside(addr) {
				return api.Warning("addresses", fmt.Sprintf("All %d people of %s have the address %s", len(a.people), a.app, address),
					fmt.Sprintf("Unless they are all there, %s is a proxy in front of %s, and its back end takes it for the browser. Have that trust the proxy "+
						"(Express: app.set('trust proxy', '%s')), and report the browser's address as ip_address at login.", address, a.app, address))
			}
		}
	}
	return api.Fine("addresses", "No application reports its proxy's as everybody's")
}
