package storetest

import (
	"context"
	"testing"
	"time"

	"rollcall/store"
)

// Shop is an application whose key may not grant access.
var Shop = store.By{App: "shop", Grant: store.AccessNone}

// LogIn reports a login of the user named id and returns it.
func LogIn(t testing.TB, s *store.Store, now time.Time, id string) store.LoginResult {
	t.Helper()
	name := "Name of " + id
	result, err := s.Login(t.Context(), now, Shop, store.Login{User: store.UserInput{ID: id, Name: &name}})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Touch sends a heartbeat that must be recorded.
func Touch(t testing.TB, s *store.Store, now time.Time, token string, beat store.Beat) {
	t.Helper()
	if _, err := s.Touch(t.Context(), now, token, beat); err != nil {
		t.Fatal(err)
	}
}

// RecordPeak keeps how many are online at now if that is the most of the day, as the server's job does.
func RecordPeak(ctx context.Context, s *store.Store, now time.Time) error {
	counts, err := s.CountOnline(ctx, now)
	if err != nil {
		return err
	}
	return s.History.RecordPeak(ctx, now, counts.People())
}

// OnlineIDs returns the ids of the people online, latest activity first.
func OnlineIDs(t testing.TB, s *store.Store, now time.Time) []string {
	t.Helper()
	page, err := s.Online(t.Context(), now, store.OnlineFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, p := range page.People {
		ids = append(ids, p.ID)
	}
	if n := page.Counts.People(); n != len(ids) {
		t.Fatalf("%d people counted, %d listed", n, len(ids))
	}
	return ids
}
