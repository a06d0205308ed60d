package store_test

import (
	"strings"
	"testing"

	"rollcall/store"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

func TestWhatPeopleTypedIsComparedByItsFoldedForm(t *testing.T) {
	s := New(t)
	for _, u := range []store.UserInput{
		{ID: "1", Name: text("Özgür Şahin"), Role: text("Ärzte"), Organization: text("Ünlü A.Ş.")},
		{ID: "2", Name: text("İpek"), Role: text("ärzte")},
		{ID: "3", Name: text("Frank"), Role: text("Pflege")},
		{ID: "4", Name: text("Éclair"), Role: text("ADMIN")},
		{ID: "5", Name: text("edgar"), Email: text("E.Łukasz@example.com")},
		{ID: "6", Name: text("Zoe")},
	} {
		if _, err := s.Login(t.Context(), Start, Shop, store.Login{User: u}); err != nil {
			t.Fatal(err)
		}
	}
	lists := func(f store.OnlineFilter) string {
		t.Helper()
		f.Sort, f.Limit = store.SortName, 2 // pages, too, are in this order
		var names []string
		for {
			page, err := s.Online(t.Context(), Start, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.People {
				names = append(names, p.Name)
			}
			if f.Cursor = page.Next; f.Cursor == "" {
				return strings.Join(names, ", ")
			}
		}
	}
	for _, c := range []struct {
		f    store.OnlineFilter
		want string
	}{
		{store.OnlineFilter{}, "Éclair, edgar, Frank, İpek, Özgür Şahin, Zoe"},
		{store.OnlineFilter{Search: "özgür"}, "Özgür Şahin"},
		{store.OnlineFilter{Search: "OZGUR s"}, "Özgür Şahin"},
		{store.OnlineFilter{Search: "ipek"}, "İpek"},
		{store.OnlineFilter{Search: "ünlü"}, "Özgür Şahin"},
		{store.OnlineFilter{Search: "lukasz"}, "edgar"},
		{store.OnlineFilter{Search: "ARZTE"}, "İpek, Özgür Şahin"},
		{store.OnlineFilter{Role: "ÄRZTE"}, "İpek, Özgür Şahin"},
		{store.OnlineFilter{ExceptRole: "Ärzte"}, "Éclair, edgar, Frank, Zoe"},
		{store.OnlineFilter{ExceptRole: "äRZTE"}, "Éclair, edgar, Frank, Zoe"},
	} {
		if got := lists(c.f); got != c.want {
			t.Errorf("%+v lists %s, want %s", c.f, got, c.want)
		}
	}
	gate, err := s.Gate(t.Context(), Start, store.GateQuestion{IgnoreRole: "ärzte"})
	if err != nil || gate.Counts.People() != 4 {
		t.Errorf("the gate counts %+v without the doctors, %v", gate.Counts, err)
	}
	if left, err := s.CountDrained(t.Context(), Start, Start); err != nil || left.Online != 5 {
		t.Errorf("a drain waits for %+v, %v", left, err)
	}
	found, err := s.Sessions(t.Context(), Start, store.SessionFilter{Search: "ÖZGÜR", Limit: 9})
	if err != nil || len(found.Sessions) != 1 {
		t.Errorf("%d sessions are found, %v", len(found.Sessions), err)
	}
	if err := s.RecordView(t.Context(), Start, store.UserActor("3"), "2"); err != nil {
		t.Fatal(err)
	}
	if log, err := s.Audit(t.Context(), store.AuditFilter{Search: "IPEK", Limit: 9}); err != nil || len(log.Entries) != 1 {
		t.Errorf("the audit log has %+v, %v", log.Entries, err)
	}
	if _, err := s.PutUser(t.Context(), Start, Shop, store.UserInput{ID: "6", Role: text("Ärzte")}); err != nil { // whose name stays
		t.Fatal(err)
	}
	if got := lists(store.OnlineFilter{Role: "arzte", Search: "ZOË"}); got != "Zoe" {
		t.Errorf("after a change of role: %q", got)
	}
	WantError(t, s.CheckNames(t.Context(), store.Names{Roles: []string{"Arzt"}}), sqldb.ErrInvalid)
	if err := s.CheckNames(t.Context(), store.Names{Roles: []string{"ÄRZTE"}}); err != nil {
		t.Error(err)
	}
}
