package server

import (
	"errors"
	"net/http/httptest"
	"slices"
	"testing"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/store"
	"rollcall/store/storetest"
)

func TestALoginTooManyNamesWhoseSessionsEndForIt(t *testing.T) {
	b := newBench(t, storetest.Limited(t, t.TempDir(), store.SessionLimit{Sessions: 1}))
	key := b.key(t, "shop", "sessions")
	first, token := b.person(t, key, "ada")
	got := do(t, b, "POST", "/admin/sessions", `{"user": {"id": "ada"}}`, bearing(key)).wants(201)
	if evicted := got["evicted"].([]any); len(evicted) != 1 || evicted[0] != first {
		t.Errorf("evicted: %v, want %s", evicted, first)
	}
	if got := b.beats(t, token); got != "evicted" {
		t.Errorf("the next heartbeat: %q", got)
	}
}

func TestADeniedLoginNamesTheSessionsInTheWay(t *testing.T) {
	b := newBench(t, storetest.Limited(t, t.TempDir(), store.SessionLimit{Sessions: 2, Deny: true}))
	key, other := b.key(t, "shop", "sessions"), b.key(t, "blog", "sessions")
	b.person(t, key, "ada")
	b.person(t, key, "ada")
	b.person(t, other, "ada")
	b.person(t, key, "bob")
	got := do(t, b, "POST", "/admin/sessions/may", `{"user": {"id": "ada"}}`, bearing(key)).refuses(409, "session_limit")
	sessions := got["sessions"].([]any)
	for _, session := range sessions {
		session := session.(map[string]any)
		if session["app"] != "shop" || session["user"].(map[string]any)["id"] != "ada" {
			t.Errorf("listed: %v", session)
		}
	}
	if len(sessions) != 2 {
		t.Errorf("%d are listed", len(sessions))
	}
	came := do(t, b, "POST", "/admin/sessions", `{"user": {"id": "ada"}}`, bearing(key)).wants(201)
	if warnings := came["warnings"].([]any); len(warnings) != 1 || warnings[0].(map[string]any)["code"] != "over_limit" {
		t.Errorf("one that comes in all the same: %v", came)
	}
}

func TestTheClientTellsOfTheLimit(t *testing.T) {
	for _, limit := range []store.SessionLimit{{Sessions: 1}, {Sessions: 1, Deny: true}} {
		b := newBench(t, storetest.Limited(t, t.TempDir(), limit))
		web := httptest.NewServer(b.Handler())
		defer web.Close()
		asks := client.New(web.URL, b.key(t, "shop", "sessions"))
		defer asks.Close()
		login := api.LoginReport{User: api.UserInput{ID: "ada"}}
		first, err := asks.Login(t.Context(), login)
		if err != nil {
			t.Fatal(err)
		}
		var refused *client.Error
		err = asks.MayLogin(t.Context(), login.User)
		if limit.Deny && (!errors.As(err, &refused) || refused.Code != "session_limit" || len(refused.Sessions) != 1 || refused.Sessions[0].ID != first.Session.ID) {
			t.Errorf("refused: %+v", err)
		}
		if !limit.Deny && err != nil {
			t.Errorf("where the oldest makes room: %v", err)
		}
		second, err := asks.Login(t.Context(), login)
		if evicted := slices.Equal(second.Evicted, []string{first.Session.ID}); err != nil || evicted == limit.Deny {
			t.Errorf("evicted for it: %v, %v", second.Evicted, err)
		}
	}
}
