package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// World is a store and the model of it, to which the same things happen. A
// test draws one thing after another with Do and compares with Check, or with
// what it has itself, such as a live feed.
type World struct {
	Store *store.Store
	Model *Model
	Now   time.Time
	Kill  func(*store.Store) *store.Store // returns the store as it is after a kill; nil: it is not killed

	seq   int64 // of the last change that Check has read
	then  time.Time
	shown map[string]string // what everybody looked like then
	named int               // tokens so far
	gone  []string          // tokens of users who were deleted
	old   map[string]bool   // tokens whose place another took
}

// users are whom a world is about, clients what they use.
var (
	users   = []string{"ada", "bob"}
	clients = []string{"", "phone", "desk", "cellar"}

	strangers = []string{"the-token-of-somebody-whom-nobody-reported", "the-token-of-another-whom-nobody-reported"}
)

// NewWorld returns a world on an empty store.
func NewWorld(s *store.Store) *World {
	return &World{Store: s, Model: NewModel(s.Rules()), Now: Start, then: Start, shown: map[string]string{}, old: map[string]bool{}}
}

// Do lets something happen, and time pass before it. It returns what, for a log.
func (w *World) Do(t *rapid.T) string {
	return w.happen(t, w.step, w.trust, w.trust, w.silence, w.listen, w.listen, w.kill, w.strange, w.strange, w.confirm)
}

// DoCalmly is Do by a clock that does not step, without pages whose token nobody reported: what
// of it is forgiven, and when these were noted, is known to one store only.
func (w *World) DoCalmly(t *rapid.T) string { return w.happen(t) }

func (w *World) happen(t *rapid.T, more ...func(*rapid.T) string) string {
	w.Now = w.Now.Add(time.Millisecond) // no two things at once: their order is part of the rules
	happen := Pick(t, "thing", append(more, w.login, w.login, w.login, w.again, w.again, w.replace, w.beat, w.beat, w.beat, w.beat, w.beat, w.goodbye, w.end, w.delete,
		w.claim, w.claim, w.claim, w.takeBack, w.cleanup, w.wait, w.wait, w.wait, w.steady, w.steady, w.steady, w.steady, w.fold, w.foldAll)...)
	return fmt.Sprintf("%s %s", w.Now.Format("2 15:04:05.000"), happen(t))
}

// Pick draws one of several with the same chance for each: rapid itself would
// nearly always begin with the first ones.
func Pick[T any](t *rapid.T, label string, from ...T) T {
	return from[rapid.Custom(func(t *rapid.T) int {
		i := 0
		for range 10 {
			i *= 2
			if rapid.Bool().Draw(t, "bit") {
				i++
			}
		}
		return i * len(from) / 1024
	}).Draw(t, label)]
}

// wait lets time pass, often up to where a rule changes its mind.
func (w *World) wait(t *rapid.T) string {
	r := w.Model.Rules
	d := Pick(t, "wait", time.Second, time.Second, 20*time.Second, time.Minute, time.Minute, time.Minute, 7*time.Minute,
		r.OnlineWindow, r.OnlineWindow, r.LeaveGrace, r.LeaveGrace, time.Hour, r.SessionTTL, r.Retention)
	w.Now = w.Now.Add(d - Pick(t, "before", 0, time.Millisecond, 2*time.Millisecond, 3*time.Millisecond)) // two things have passed 2 ms when time comes to the point
	return fmt.Sprint("waited about ", d)
}

func (w *World) login(t *rapid.T) string {
	user := Pick(t, "user", users...)
	app := Pick(t, "app", "shop", "shop", "blog", "blog", presence.PanelApp)
	token := w.newToken()
	if stranger := w.stranger(t); Pick(t, "late", false, false, false, true) && !w.isKnown(stranger) {
		token = stranger
	}
	result, err := w.Store.Login(context.Background(), w.Now, store.By{App: app}, store.Login{User: store.UserInput{ID: user}, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	w.Model.KnowToken(token)
	w.Model.Users[user], w.Model.Reported[user] = true, w.Now
	w.Model.Sessions = append(w.Model.Sessions, &ModelSession{User: user, App: app, Token: token, ID: result.ID,
		LastActivity: w.Now, Expires: w.Now.Add(w.Model.Rules.SessionTTL)})
	return fmt.Sprint(user, " logged in to ", app, " with ", token)
}

// again reports a session that was reported before, as a host does at each page.
func (w *World) again(t *rapid.T) string {
	s := w.session(t)
	if s == nil {
		return "nobody to report again"
	}
	s = w.Model.Latest(s.Token)
	result, err := w.Store.Login(context.Background(), w.Now, store.By{App: s.App}, store.Login{User: store.UserInput{ID: s.User}, Token: s.Token})
	if err == nil {
		w.Model.Reported[s.User] = w.Now
	}
	var ended *store.EndedError
	switch {
	case w.Model.LoggedIn(s, w.Now):
		if err != nil || result.Created || result.ID != s.ID || !result.ExpiresAt.Equal(s.Expires) {
			t.Fatalf("%s again is %+v, %v; want the session %d, which ends at %v", s.Token, result, err, s.ID, s.Expires)
		}
	case !s.Ended.IsZero() && s.Reason != presence.EndExpired:
		if !errors.As(err, &ended) || ended.Reason != s.Reason {
			t.Fatalf("%s again, which ended: %s, is %+v, %v", s.Token, s.Reason, result, err)
		}
	default:
		if err != nil || !result.Created || result.ID == s.ID {
			t.Fatalf("%s again, which expired, is %+v, %v", s.Token, result, err)
		}
		s.Ended, s.Reason = s.Expires, presence.EndExpired
		w.Model.Sessions = append(w.Model.Sessions, &ModelSession{User: s.User, App: s.App, Token: s.Token, ID: result.ID,
			LastActivity: w.Now, Expires: w.Now.Add(w.Model.Rules.SessionTTL)})
	}
	return fmt.Sprintf("%s of %s is reported again: %v", s.Token, s.User, err)
}

// replace reports another token in place of a session's, whose pages all get to know it at once.
func (w *World) replace(t *rapid.T) string {
	s := w.session(t)
	if s == nil {
		return "nobody whose token changes"
	}
	s = w.Model.Latest(s.Token)
	if !w.Model.LoggedIn(s, w.Now) {
		return s.Token + " stands for nobody who is logged in"
	}
	before, token := s.Token, w.newToken()
	w.old[before] = true
	result, err := w.Store.Login(context.Background(), w.Now, store.By{App: s.App}, store.Login{User: store.UserInput{ID: s.User}, Token: token, PreviousToken: before})
	if err != nil || result.Created || result.ID != s.ID || !result.ExpiresAt.Equal(s.Expires) {
		t.Fatalf("%s in place of %s is %+v, %v; want the session %d, which ends at %v", token, before, result, err, s.ID, s.Expires)
	}
	w.Model.Reported[s.User] = w.Now
	for _, s := range w.Model.Sessions { // those that expired before, too
		if s.Token == before {
			s.Token = token
		}
	}
	return fmt.Sprint(token, " takes the place of ", before)
}

func (w *World) newToken() string {
	w.named++
	return fmt.Sprintf("the-token-of-the-session-number-%06d", w.named)
}

// session draws one that the model knows; nil where there is none.
func (w *World) session(t *rapid.T) *ModelSession {
	if len(w.Model.Sessions) == 0 {
		return nil
	}
	if live := slices.DeleteFunc(slices.Clone(w.Model.Sessions), func(s *ModelSession) bool { return !w.Model.LoggedIn(s, w.Now) }); len(live) > 0 {
		return Pick(t, "live session", append(live, w.Model.Sessions...)...)
	}
	return Pick(t, "session", w.Model.Sessions...)
}

func (w *World) beat(t *rapid.T) string {
	beat := store.Beat{Idle: Pick(t, "idle", 0, time.Minute, w.Model.Rules.IdleAfter-time.Millisecond, w.Model.Rules.IdleAfter, 3*time.Hour)}
	if page := Pick(t, "page", "", "/a", "/b"); page != "" {
		beat.Page = &page
	}
	beat.Client = Pick(t, "client", clients...)
	return w.touch(t, beat)
}

// steady sends a heartbeat of which nobody sees a difference, as nearly all are, once or a minute apart.
func (w *World) steady(t *rapid.T) string {
	s := w.session(t)
	if s == nil {
		return "nobody to beat steadily"
	}
	for range Pick(t, "times", 1, 2, 4) {
		w.Now = w.Now.Add(min(w.Model.Rules.Heartbeat, time.Minute))
		s = w.Model.Latest(s.Token)
		beat := store.Beat{Idle: s.Idle}
		if s.Client != nil {
			beat.Client = *s.Client
		}
		w.touchBy(t, s, beat)
	}
	return s.Token + " beats steadily"
}

// fold brings into the rows what has waited for long, as the server does every second.
func (w *World) fold(t *rapid.T) string {
	if err := w.Store.FoldHeartbeats(context.Background(), w.Now); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint("folded what has waited, and left ", w.Store.HeartbeatsWaiting())
}

func (w *World) foldAll(t *rapid.T) string {
	waiting := w.Store.HeartbeatsWaiting()
	if err := w.Store.FoldAllHeartbeats(context.Background()); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint("folded ", waiting)
}

// kill ends the server at once, and starts it again.
func (w *World) kill(*rapid.T) string {
	if w.Kill == nil {
		return "nobody kills the server"
	}
	waiting := w.Store.HeartbeatsWaiting()
	w.Store = w.Kill(w.Store)
	w.Store.SetSlack(w.Model.Slack)
	clear(w.Model.Noted)
	return fmt.Sprint("killed, while there waited ", waiting)
}

func (w *World) goodbye(t *rapid.T) string {
	return w.touch(t, store.Beat{Leaving: true, Client: Pick(t, "client", clients...)})
}

func (w *World) touch(t *rapid.T, beat store.Beat) string {
	s := w.session(t)
	if s == nil {
		return "nobody to send a heartbeat"
	}
	return w.touchBy(t, w.Model.Latest(s.Token), beat)
}

func (w *World) touchBy(t *rapid.T, s *ModelSession, beat store.Beat) string {
	got, err := w.Store.Touch(context.Background(), w.Now, s.Token, beat)
	if err != nil && !errors.Is(err, store.ErrSessionEnded) {
		t.Fatal(err)
	}
	if want := w.Model.Beat(s, w.Now, beat); (err == nil) != want {
		t.Fatalf("a heartbeat of %s: %v, but it should be accepted: %v", s.Token, err, want)
	}
	if err == nil && !got.ExpiresAt.Equal(s.Expires) {
		t.Fatalf("a heartbeat of %s answers %v, want %v", s.Token, got.ExpiresAt, s.Expires)
	}
	return fmt.Sprintf("%s beats %+v: %v", s.Token, beat, err)
}

func (w *World) end(t *rapid.T) string {
	s := w.session(t)
	if s == nil {
		return "nothing to end"
	}
	reason := Pick(t, "reason", presence.EndLogout, presence.EndRevoked)
	end, model := w.Store.EndByID, w.Model.End
	if reason == presence.EndRevoked { // by somebody else than the application
		model = w.Model.Revoke
		end = func(ctx context.Context, now time.Time, _ string, id int64, reason presence.EndReason) (bool, error) {
			return w.Store.Revoke(ctx, now, id, store.Ending{Reason: reason})
		}
	}
	got, err := end(context.Background(), w.Now, "", s.ID, reason)
	if want := model(s, w.Now, reason); err != nil || got != want {
		t.Fatalf("ending %s: %v, %v, want %v", s.Token, got, err, want)
	}
	return fmt.Sprint(s.Token, " ends: ", reason)
}

func (w *World) delete(t *rapid.T) string {
	user := Pick(t, "user", users...)
	_, err := w.Store.DeleteUser(context.Background(), w.Now, store.By{Grant: store.AccessAdmin}, user)
	if known := w.Model.Users[user]; known != (err == nil) || !known && !errors.Is(err, sqldb.ErrNotFound) {
		t.Fatalf("deleting %s: %v, known %v", user, err, known)
	}
	for _, s := range w.Model.Sessions {
		if s.User == user {
			w.gone = append(w.gone, s.Token)
		}
	}
	w.Model.DeleteUser(user, w.Now)
	return fmt.Sprint("deleted ", user)
}

// stranger is a token that no session has, perhaps.
func (w *World) stranger(t *rapid.T) string {
	return Pick(t, "stranger", append(w.gone[max(0, len(w.gone)-2):len(w.gone):len(w.gone)], strangers...)...)
}

func (w *World) isKnown(token string) bool { return w.old[token] || w.Model.Latest(token) != nil }

// strange is a heartbeat by a token that no session has, as the server takes it.
func (w *World) strange(t *rapid.T) string {
	p := ModelPage{w.stranger(t), Pick(t, "client", clients...)}
	if w.isKnown(p.Token) {
		return p.Token + " is known"
	}
	beat := store.Beat{Idle: Pick(t, "idle", 0, 0, w.Model.Rules.IdleAfter), Client: p.Client, Leaving: Pick(t, "leaving", false, false, true)}
	_, err := w.Store.Touch(context.Background(), w.Now, p.Token, beat)
	if _, ended := errors.AsType[*store.EndedError](err); ended || !errors.Is(err, store.ErrSessionEnded) {
		t.Fatalf("a heartbeat of %s: %v", p.Token, err)
	}
	switch {
	case beat.Leaving:
		err = w.Store.NoteUnknownLeaving(context.Background(), w.Now, p.Token, p.Client)
	case beat.Idle < w.Model.Rules.IdleAfter:
		err = w.Store.NoteUnknownToken(context.Background(), w.Now, p.Token, p.Client, "https://shop.example")
	default:
		err = nil
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Model.BeatStranger(p, w.Now, beat)
	return fmt.Sprintf("%s, which nobody reported, beats %+v", p.Token, beat)
}

// confirm is an application's word that whoever had a token that nobody reported is gone.
func (w *World) confirm(t *rapid.T) string {
	token := w.stranger(t)
	if w.isKnown(token) {
		return token + " is known"
	}
	if ended, err := w.Store.EndByToken(context.Background(), w.Now, "shop", token, presence.EndLogout); err != nil || ended {
		t.Fatalf("ending %s: %v, %v", token, ended, err)
	}
	w.Model.KnowToken(token)
	return token + " is said to be gone"
}

func (w *World) claim(t *rapid.T) string {
	user := Pick(t, "user", users...)
	c := presence.Claim{
		App:    Pick(t, "app", "", "shop", "blog", "wiki"),
		Status: Pick(t, "status", presence.StatusBusy, presence.StatusAway),
		Text:   Pick(t, "text", "", "Recording", "Lunch"),
	}
	if d := Pick(t, "for", 0, time.Minute, time.Hour); d > 0 {
		until := w.Now.Add(d)
		c.Until = &until
	}
	err := w.Store.SetStatus(context.Background(), w.Now, user, c)
	if known := w.Model.Users[user]; known != (err == nil) || !known && !errors.Is(err, sqldb.ErrNotFound) {
		t.Fatalf("claiming for %s: %v, known %v", user, err, known)
	}
	if err == nil {
		w.Model.SetStatus(user, w.Now, c)
	}
	return fmt.Sprintf("%q claims of %s %s until %v", c.App, user, c.Status, c.Until)
}

func (w *World) takeBack(t *rapid.T) string {
	user, app := Pick(t, "user", users...), Pick(t, "app", "", "shop", "blog", "wiki")
	err := w.Store.ClearStatus(context.Background(), user, app)
	if known := w.Model.Users[user]; known != (err == nil) {
		t.Fatalf("taking back a claim of %s: %v, known %v", user, err, known)
	}
	w.Model.ClearStatus(user, app)
	return fmt.Sprintf("%q takes back its claim of %s", app, user)
}

func (w *World) cleanup(t *rapid.T) string {
	if _, err := w.Store.Cleanup(context.Background(), w.Now); err != nil {
		t.Fatal(err)
	}
	w.Model.Cleanup(w.Now)
	return "cleaned up"
}

// step moves the clock, and is forgiven.
func (w *World) step(t *rapid.T) string {
	d := Pick(t, "step", 3*time.Second, time.Minute, 10*time.Minute, time.Hour, 30*time.Hour)
	if Pick(t, "back", false, true) {
		w.Model.Early += d
		w.Now = w.Now.Add(-d)
		w.Store.SetSlack(w.Model.Slack)
		return fmt.Sprint("the clock goes back by ", d)
	}
	w.Model.Late += d
	w.Now = w.Now.Add(d)
	w.Store.SetSlack(w.Model.Slack)
	return fmt.Sprint("the clock goes forward by ", d)
}

// silence lets time pass in which nobody can be heard of.
func (w *World) silence(t *rapid.T) string {
	d := Pick(t, "silence", 3*time.Second, time.Minute, 10*time.Minute, time.Hour, 30*time.Hour)
	w.Now = w.Now.Add(d)
	w.Model.Silent += d
	w.Store.SetSlack(w.Model.Slack)
	return fmt.Sprint("nobody can be heard of for ", d)
}

// listen ends the waiting for those who were not heard of.
func (w *World) listen(*rapid.T) string {
	w.Model.Silent = 0
	w.Store.SetSlack(w.Model.Slack)
	return "everybody had the time to be heard of again"
}

// trust ends the forgiving.
func (w *World) trust(*rapid.T) string {
	w.Model.Late, w.Model.Early = 0, 0
	w.Store.SetSlack(w.Model.Slack)
	return "the clock is trusted again"
}
