package store_test

import (
	"slices"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// TestErasingTakesANameOutOfWhatOthersSee has notices, a drain and others' status that name somebody.
func TestErasingTakesANameOutOfWhatOthersSee(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	db := OpenShell(t, folder, "")
	name, email := "Łukasz Ádám", "lu@shop.example"
	if _, err := s.PutUser(t.Context(), Start, Shop, store.UserInput{ID: "4711-x", Name: &name, Email: &email}); err != nil {
		t.Fatal(err)
	}
	LogIn(t, s, Start, "bob")
	messages := map[string]string{
		"Ask ŁUKASZ ÁDÁM!":                                  "Ask *!",
		"Lukasz Adam and Łukasz A\u0301da\u0301m":           "* and *",
		"Łukasz Ádáms house, 4711-x, LU@shop.example, 4711": "Łukasz Ádáms house, *, *, 4711",
		"Restart at six":                                    "Restart at six",
	}
	var want []string
	for message, left := range messages {
		if _, err := s.PostNotice(t.Context(), Start, "cli", store.NoticeInput{Message: message, Level: store.LevelInfo}); err != nil {
			t.Fatal(err)
		}
		want = append(want, left)
	}
	listed, err := s.Notices(t.Context(), Start) // which may be remembered
	if err != nil || len(listed) != len(messages) {
		t.Fatalf("%d notices, %v", len(listed), err)
	}
	if _, err := s.BeginDrain(t.Context(), Start, "cli", "Łukasz Ádám deploys", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.SetStatus(t.Context(), Start, "bob", presence.Claim{Status: presence.StatusBusy, Text: "with łukasz ádám"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Erase(t.Context(), Start, "cli", "4711-x"); err != nil {
		t.Fatal(err)
	}
	var got []string
	if listed, err = s.Notices(t.Context(), Start); err != nil {
		t.Fatal(err)
	}
	for _, n := range listed {
		got = append(got, n.Message)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the notices say %q, want %q", got, want)
	}
	if got := texts(t, db, `SELECT message FROM drain UNION ALL SELECT text FROM status_claims`); !slices.Equal(got, []string{"* deploys", "with *"}) {
		t.Errorf("the drain and the status say %q", got)
	}
}
