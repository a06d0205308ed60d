package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"rollcall/store"
)

// World is a store and the model of it, to which the same things happen. A
// test draws one thing after another with Do and compares with Check, or with
// what it has itself, such as a live feed.
type World struct {
	Store *store.Store
	Model *Model
	Now   time.Time

	seq   int64 // of the last change that Check has read
	then  time.Time
	shown map[string]string // what everybody looked like then
	steps [2]time.Duration  // of the clock that are forgiven: forward, back
	named int               // tokens so far
}

// Whom a world is about.
var (
	users = []string{"ada", "bob", "cy"}
	apps  = []string{"shop", "blog"}
)

// NewWorld returns a world on an empty store.
func NewWorld(s *store.Store) *World {
	return &World{Store: s, Model: NewModel(s.Rules()), Now: Start, then: Start, shown: map[string]string{}}
}

// Do lets something happen, and time pass before it. It returns what, for a log.
func (w *World) Do(t *rapid.T) string {
	w.Now = w.Now.Add(time.Millisecond) // no two things at once: their order is part of the rules
	things := map[string]func(*rapid.T) string{
		"login": w.login, "beat": w.beat, "goodbye": w.goodbye, "end": w.end, "delete": w.delete,
		"claim": w.claim, "take back": w.takeBack, "cleanup": w.cleanup, "step": w.step, "trust": w.trust,
		"wait": w.wait, "wait again": w.wait, "beat again": w.beat, "beat once more": w.beat,
	}
	thing := rapid.SampledFrom(slices.Sorted(maps.Keys(things))).Draw(t, "thing")
	return fmt.Sprintf("%s %s", w.Now.Format("2 15:04:05.000"), things[thing](t))
}

// wait lets time pass, often up to where a rule changes its mind.
func (w *World) wait(t *rapid.T) string {
	r := w.Model.Rules
	d := rapid.SampledFrom([]time.Duration{
		0, time.Second, 20 * time.Second, time.Minute, 7 * time.Minute, time.Hour, 7 * time.Hour,
		r.OnlineWindow, r.LeaveGrace, r.SessionTTL, r.Retention,
	}).Draw(t, "wait")
	w.Now = w.Now.Add(d).Add(time.Duration(rapid.IntRange(-2, 1).Draw(t, "ms")) * time.Millisecond)
	return fmt.Sprint("waited about ", d)
}

func (w *World) login(t *rapid.T) string {
	user := rapid.SampledFrom(users).Draw(t, "user")
	app := rapid.SampledFrom(append(apps[:2:2], store.PanelApp)).Draw(t, "app")
	w.named++
	token := fmt.Sprintf("token-number-%06d", w.named)
	result, err := w.Store.Login(context.Background(), w.Now, store.By{App: app}, store.Login{User: store.UserInput{ID: user}, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	w.Model.Users[user] = true
	w.Model.Sessions = append(w.Model.Sessions, &ModelSession{User: user, App: app, Token: token, ID: result.ID,
		LastActivity: w.Now, Expires: w.Now.Add(w.Model.Rules.SessionTTL)})
	return fmt.Sprint(user, " logged in to ", app, " with ", token)
}

// session draws one that the model knows; nil where there is none.
func (w *World) session(t *rapid.T) *ModelSession {
	if len(w.Model.Sessions) == 0 {
		return nil
	}
	return w.Model.Sessions[rapid.IntRange(0, len(w.Model.Sessions)-1).Draw(t, "session")]
}

func (w *World) beat(t *rapid.T) string {
	beat := store.Beat{Idle: rapid.SampledFrom([]time.Duration{0, time.Minute, w.Model.Rules.IdleAfter - time.Millisecond, w.Model.Rules.IdleAfter, 3 * time.Hour}).Draw(t, "idle")}
	if page := rapid.SampledFrom([]string{"", "/a", "/b"}).Draw(t, "page"); page != "" {
		beat.Page = &page
	}
	return w.touch(t, beat)
}

func (w *World) goodbye(t *rapid.T) string { return w.touch(t, store.Beat{Leaving: true}) }

func (w *World) touch(t *rapid.T, beat store.Beat) string {
	s := w.session(t)
	if s == nil {
		return "nobody to send a heartbeat"
	}
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
	reason := rapid.SampledFrom([]store.EndReason{store.EndLogout, store.EndRevoked}).Draw(t, "reason")
	got, err := w.Store.EndByID(context.Background(), w.Now, "", s.ID, reason)
	if want := w.Model.End(s, w.Now, reason); err != nil || got != want {
		t.Fatalf("ending %s: %v, %v, want %v", s.Token, got, err, want)
	}
	return fmt.Sprint(s.Token, " ends: ", reason)
}

func (w *World) delete(t *rapid.T) string {
	user := rapid.SampledFrom(users).Draw(t, "user")
	_, err := w.Store.DeleteUser(context.Background(), store.By{Grant: store.AccessAdmin}, user)
	if known := w.Model.Users[user]; known != (err == nil) || !known && !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("deleting %s: %v, known %v", user, err, known)
	}
	w.Model.DeleteUser(user)
	return fmt.Sprint("deleted ", user)
}

func (w *World) claim(t *rapid.T) string {
	user := rapid.SampledFrom(users).Draw(t, "user")
	c := store.Claim{
		App:    rapid.SampledFrom(append(apps[:2:2], "")).Draw(t, "app"),
		Status: rapid.SampledFrom([]store.Status{store.StatusBusy, store.StatusAway}).Draw(t, "status"),
		Text:   rapid.SampledFrom([]string{"", "Recording"}).Draw(t, "text"),
	}
	if d := rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour}).Draw(t, "for"); d > 0 {
		until := w.Now.Add(d)
		c.Until = &until
	}
	err := w.Store.SetStatus(context.Background(), w.Now, user, c)
	if known := w.Model.Users[user]; known != (err == nil) || !known && !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("claiming for %s: %v, known %v", user, err, known)
	}
	if err == nil {
		w.Model.SetStatus(user, w.Now, c)
	}
	return fmt.Sprintf("%q claims of %s %s until %v", c.App, user, c.Status, c.Until)
}

func (w *World) takeBack(t *rapid.T) string {
	user, app := rapid.SampledFrom(users).Draw(t, "user"), rapid.SampledFrom(append(apps[:2:2], "")).Draw(t, "app")
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
	d := rapid.SampledFrom([]time.Duration{3 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 30 * time.Hour}).Draw(t, "step")
	if rapid.Bool().Draw(t, "back") {
		w.steps[1] += d
		w.Model.Early = w.steps[1]
		w.Now = w.Now.Add(-d)
		w.Store.Forgive(w.steps[0], w.steps[1])
		return fmt.Sprint("the clock goes back by ", d)
	}
	w.steps[0] += d
	w.Model.Late = w.steps[0]
	w.Now = w.Now.Add(d)
	w.Store.Forgive(w.steps[0], w.steps[1])
	return fmt.Sprint("the clock goes forward by ", d)
}

// trust ends the forgiving.
func (w *World) trust(*rapid.T) string {
	w.steps, w.Model.Late, w.Model.Early = [2]time.Duration{}, 0, 0
	w.Store.Forgive(0, 0)
	return "the clock is trusted again"
}
