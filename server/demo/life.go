package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/store"
)

// life is one person at one device.
type life struct {
	user      api.UserInput
	app       string
	pages     []string
	userAgent string
	address   string
	origin    store.Origin // what the server makes of these two
	rng       *rand.Rand
	arrival   time.Duration // after the demo's start
}

// live goes from visit to visit until ctx ends. A server that refuses or is busy is no reason to
// stop: the person tries again later, as people do.
func (l *life) live(ctx context.Context, app *client.Client, log zerolog.Logger) {
	rest := l.arrival
	for pause(ctx, rest) {
		err := l.visit(ctx, app)
		rest = l.between(20*time.Second, 80*time.Second)
		if err != nil && ctx.Err() == nil {
			log.Debug().Err(err).Str("user_id", l.user.ID).Msg("demo visit failed")
			rest = setback(err)
		}
	}
}

// visit is the time from a login to the logout.
func (l *life) visit(ctx context.Context, app *client.Client) error {
	login, err := app.Login(ctx, api.LoginReport{User: l.user, IPAddress: l.address, UserAgent: l.userAgent})
	if err != nil {
		return fmt.Errorf("logging in: %w", err)
	}
	mood := l.arrive()
	for {
		if err := l.do(ctx, app, login.Session.Token, mood); err != nil || mood.gone {
			return err
		}
		if !pause(ctx, mood.until) {
			return nil
		}
		mood = l.next(mood)
	}
}

// mood is what a person does for a while.
type mood struct {
	idle    time.Duration // without input for so long; 0 while working
	leaving bool          // closed the last tab
	gone    bool          // logged out
	page    string
	busy    string // must not be disturbed, because of this
	until   time.Duration
}

// do tells the server. A session that was ended meanwhile, by somebody at the panel for instance,
// only ends the visit.
func (l *life) do(ctx context.Context, app *client.Client, token string, m mood) error {
	for {
		err := l.tell(ctx, app, token, m)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, &client.Error{Code: "session_ended"}):
			return err
		case !pause(ctx, setback(err)):
			return ctx.Err()
		}
	}
}

func (l *life) tell(ctx context.Context, app *client.Client, token string, m mood) error {
	if m.gone {
		_, err := app.EndSession(ctx, token)
		return err
	}
	_, err := app.Heartbeat(ctx, token, api.Heartbeat{IdleMS: m.idle.Milliseconds(), Visible: new(!m.leaving), Page: &m.page, Leaving: m.leaving})
	if err != nil || m.busy == "" {
		return err
	}
	_, err = app.SetStatus(ctx, l.user.ID, api.StatusInput{Status: "busy", Text: m.busy, ForMS: new(m.until.Milliseconds())})
	return err
}

// arrive is how somebody starts. A few have left the tab open since who knows when.
func (l *life) arrive() mood {
	start := l.working(mood{page: l.anyPage()})
	if l.chance(15) {
		start = l.resting(start)
	}
	start.until = l.between(time.Second, 15*time.Second) // many start at once, but should not move at once
	return start
}

// next is what follows. The people live faster than real ones: a coffee break takes half a minute,
// and a browser then reports minutes without input, which is an age that clients may send.
func (l *life) next(m mood) mood {
	switch {
	case m.leaving && l.chance(50): // and does not come back
		return mood{gone: true}
	case m.leaving:
		return l.working(m)
	case m.idle > 0 && l.chance(60):
		return l.resting(m)
	case l.chance(4):
		return mood{gone: true}
	case l.chance(4):
		return mood{leaving: true, page: m.page, until: l.between(3*time.Second, 40*time.Second)}
	case m.idle == 0 && l.chance(8):
		return l.resting(m)
	}
	return l.working(m)
}

func (l *life) working(m mood) mood {
	page := m.page
	if l.chance(75) {
		page = l.anyPage()
	}
	if l.chance(4) {
		return mood{page: page, busy: pick(l.rng, calls), until: l.between(15*time.Second, 45*time.Second)}
	}
	return mood{page: page, until: l.between(4*time.Second, 20*time.Second)}
}

func (l *life) resting(m mood) mood {
	idle := m.idle + l.between(time.Minute, 4*time.Minute)
	return mood{idle: max(idle, 5*time.Minute), page: m.page, until: l.between(8*time.Second, 20*time.Second)}
}

func (l *life) anyPage() string {
	page := pick(l.rng, l.pages)
	if strings.Contains(page, "%d") {
		return fmt.Sprintf(page, 4100+l.rng.IntN(900))
	}
	return page
}

func (l *life) chance(percent int) bool { return l.rng.IntN(100) < percent }

func (l *life) between(least, most time.Duration) time.Duration {
	return least + time.Duration(l.rng.Int64N(int64(most-least)))
}

// setback is how long somebody waits after an error: as long as the server asks, if it does.
func setback(err error) time.Duration {
	failure, ok := errors.AsType[*client.Error](err)
	switch {
	case !ok:
		return 2 * time.Second
	case failure.RetryAfter > 0:
		return failure.RetryAfter
	case failure.Code == "session_ended":
		return 45 * time.Second // and thinks about why
	}
	return 5 * time.Second
}

// pause waits for d and tells whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
