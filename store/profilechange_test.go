package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	. "rollcall/store/storetest"
)

// TestAChangedProfileIsRecorded has two applications that say of the same people what they know.
func TestAChangedProfileIsRecorded(t *testing.T) {
	shop, crm := store.By{App: "shop", KeyID: 1, Actor: "key:1:shop"}, store.By{App: "crm", KeyID: 2, Actor: "key:2:crm"}
	type report struct {
		by   store.By
		user store.UserInput
	}
	for name, test := range map[string]struct {
		reports []report
		want    []string
	}{
		"somebody new":      {[]report{{crm, store.UserInput{ID: "eve", Name: new("Eve")}}}, []string{}},
		"the same":          {[]report{{crm, store.UserInput{ID: "ada", Name: new("Ada"), Role: new("editor"), Organization: new("Acme")}}}, []string{}},
		"nothing":           {[]report{{crm, store.UserInput{ID: "ada"}}}, []string{}},
		"another name":      {[]report{{crm, store.UserInput{ID: "ada", Name: new("Eve")}}}, []string{`key:2:crm user.change user:ada name; name was "Ada"`}},
		"all of it":         {[]report{{crm, store.UserInput{ID: "ada", Name: new("Eve"), Email: new("e@x"), Role: new("admin"), Team: new("t"), Organization: new("")}}}, []string{`key:2:crm user.change user:ada name, email, role, team, organization; name was "Ada", email was "", role was "editor", team was "", organization was "Acme"`}},
		"there and back":    {[]report{{crm, store.UserInput{ID: "ada", Name: new("Eve")}}, {shop, store.UserInput{ID: "ada", Name: new("Ada")}}, {crm, store.UserInput{ID: "ada", Name: new("Eve")}}, {shop, store.UserInput{ID: "ada", Name: new("Ada")}}}, []string{`key:2:crm user.change user:ada name; name was "Ada"`, `key:1:shop user.change user:ada name; name was "Eve"`}},
		"one after another": {[]report{{crm, store.UserInput{ID: "ada", Team: new("t")}}, {crm, store.UserInput{ID: "ada", Role: new("admin")}}}, []string{`key:2:crm user.change user:ada team; team was ""`, `key:2:crm user.change user:ada role; role was "editor"`}},
	} {
		for way, tell := range map[string]func(*store.Store, report) error{
			"by a login": func(s *store.Store, r report) error {
				_, err := s.Login(t.Context(), Start, r.by, store.Login{User: r.user})
				return err
			},
			"by itself": func(s *store.Store, r report) error {
				_, err := s.PutUser(t.Context(), Start, r.by, r.user)
				return err
			},
		} {
			t.Run(name+" "+way, func(t *testing.T) {
				Each(t, func(t *testing.T, s *store.Store) {
					for _, r := range append([]report{{shop, store.UserInput{ID: "ada", Name: new("Ada"), Role: new("editor"), Organization: new("Acme")}}}, test.reports...) {
						if err := tell(s, r); err != nil {
							t.Fatal(err)
						}
					}
					if diff := cmp.Diff(test.want, append([]string{}, deeds(t, s, store.AuditFilter{Action: "user.change"})...)); diff != "" {
						t.Error(diff)
					}
				})
			})
		}
	}
}

func TestAProfileThatFlapsIsRecordedOnceAnHour(t *testing.T) {
	s := New(t)
	names := []string{"Ada", "Ada Lovelace"}
	for i := range 120 { // every minute, for two hours
		by := store.By{App: "shop", KeyID: int64(i%2 + 1), Actor: []string{"key:1:shop", "key:2:crm"}[i%2]}
		if _, err := s.PutUser(t.Context(), Start.Add(time.Duration(i)*time.Minute), by, store.UserInput{ID: "ada", Name: &names[i%2]}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(deeds(t, s, store.AuditFilter{Action: "user.change"})); n != 4 {
		t.Errorf("%d entries, want two of each key", n)
	}
}
