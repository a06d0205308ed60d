package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// deeds returns what the audit log says, oldest first.
func deeds(t testing.TB, s *store.Store, f store.AuditFilter) (all []string) {
	t.Helper()
	f.Limit = 1000
	page, err := s.Audit(t.Context(), f)
	if err != nil || page.Next != "" {
		t.Fatal(page.Next, err)
	}
	for _, e := range slices.Backward(page.Entries) {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", e.Actor, e.Action, e.Target, e.Text())))
	}
	return all
}

func TestEveryDeedIsRecorded(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		const password = "a password that is long enough"
		backend := store.By{App: "shop", Grant: store.AccessAdmin, Actor: "key:5:shop"}
		viewer := store.AccessViewer
		_, err := s.CreateFirstAccount(ctx, Start, "root", password)
		must(err)
		_, err = s.CreateAccount(ctx, Start, "cli", store.AccountInput{Name: "Ann", Password: password, Access: store.AccessViewer})
		must(err)
		_, err = s.SignIn(ctx, Start, store.Credentials{Name: "ann", Password: password}, store.Origin{IPAddress: "192.0.2.9", UserAgent: "UA"})
		must(err)
		must(s.SetPassword(ctx, Start, "cli", "ann", password))
		must(s.DeleteAccount(ctx, Start, "user:rollcall:root", "rollcall:ann"))
		key, secret, err := s.CreateKey(ctx, Start, "cli", "blog", "", store.Scopes{store.ScopeRead, store.ScopeAdmin})
		must(err)
		_, err = s.DeleteKey(ctx, Start, "user:rollcall:root", key.ID, false)
		must(err)
		for range 2 { // the same access again is no deed
			_, err = s.PutUser(ctx, Start, backend, store.UserInput{ID: "ada", Access: &viewer})
			must(err)
		}
		var ids []int64
		for range 3 {
			ids = append(ids, LogIn(t, s, Start, "ada").ID)
		}
		LogIn(t, s, Start, "bob")
		_, err = s.Revoke(ctx, Start, ids[0], byRoot)
		must(err)
		_, err = s.RevokeAll(ctx, Start, store.SessionFilter{App: "shop"}, byRoot)
		must(err)
		_, err = s.DeleteUser(ctx, Start, backend, "bob")
		must(err)
		_, err = s.CleanupBy(ctx, Start, "cli")
		must(err)
		_, err = s.Cleanup(ctx, Start)
		must(err)
		must(s.RecordFailure(ctx, Start, "ROOT"))
		must(s.RecordFailure(ctx, Start, "whoever"))
		want := []string{
			"user:rollcall:root account.create user:rollcall:root the first account",
			"cli account.create user:rollcall:ann viewer",
			"user:rollcall:ann panel.sign_in",
			"cli account.password user:rollcall:ann",
			"user:rollcall:root account.delete user:rollcall:ann viewer",
			fmt.Sprintf("cli key.create key:%d blog: read,admin", key.ID),
			fmt.Sprintf("user:rollcall:root key.delete key:%d blog: read,admin", key.ID),
			"key:5:shop user.access user:ada none -> viewer",
			`system user.change user:ada name; name was "ada"`,
			fmt.Sprintf("user:root session.revoke user:ada session %d; moving house", ids[0]),
			`user:root session.revoke user:ada 2 sessions; all of active, app "shop"; moving house`,
			`user:root session.revoke user:bob session 0; all of active, app "shop"; moving house`,
			"key:5:shop user.delete user:bob 0 sessions",
			"cli session.cleanup  0 ended, 0 purged",
			"unknown panel.sign_in_failed user:rollcall:root",
			"unknown panel.sign_in_failed  no such account",
		}
		got := deeds(t, s, store.AuditFilter{})
		for i := range got { // whose id is nobody's business here
			if strings.Contains(got[i], "user:bob session ") {
				got[i] = `user:root session.revoke user:bob session 0; all of active, app "shop"; moving house`
			}
			if strings.Contains(got[i], secret) {
				t.Errorf("the log has the key: %s", got[i])
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatIsRefusedIsNotRecorded(t *testing.T) {
	s := New(t)
	ctx := t.Context()
	if _, err := s.CreateFirstAccount(ctx, Start, "root", "a password that is long enough"); err != nil {
		t.Fatal(err)
	}
	LogIn(t, s, Start, "ada")
	admin := store.AccessAdmin
	before := deeds(t, s, store.AuditFilter{})
	WantError(t, s.DeleteAccount(ctx, Start, "cli", "rollcall:root"), store.ErrLastAdmin)
	WantError(t, s.DeleteAccount(ctx, Start, "cli", "rollcall:nobody"), sqldb.ErrNotFound)
	_, err := s.DeleteKey(ctx, Start, "cli", 1, false)
	WantError(t, err, sqldb.ErrNotFound)
	WantError(t, s.SetPassword(ctx, Start, "cli", "nobody", "a password that is long enough"), sqldb.ErrNotFound)
	_, err = s.PutUser(ctx, Start, Shop, store.UserInput{ID: "ada", Access: &admin})
	WantError(t, err, store.ErrForbidden)
	_, err = s.DeleteUser(ctx, Start, store.By{App: "blog"}, "ada")
	WantError(t, err, store.ErrForbidden)
	if ended, err := s.Revoke(ctx, Start, 1, byRoot); ended || err != nil {
		t.Fatal(ended, err)
	}
	if diff := cmp.Diff(before, deeds(t, s, store.AuditFilter{})); diff != "" {
		t.Error(diff)
	}
}

func TestLookingIsRecordedOnceAnHour(t *testing.T) {
	s := New(t)
	LogIn(t, s, Start, "ada")
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := s.RecordView(t.Context(), Start, "user:eve", "ada"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, view := range []struct {
		at          time.Time
		actor, user string
	}{
		{after(59), "user:eve", "ada"}, {after(59), "user:eve", "nobody"}, {after(59), "user:dan", "ada"}, {after(60), "user:eve", "ada"},
		{Start.Add(-time.Hour), "user:eve", "ada"}, // by a clock that was set back
	} {
		if err := s.RecordView(t.Context(), view.at, view.actor, view.user); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"user:eve user.view user:ada", "user:dan user.view user:ada", "user:eve user.view user:ada", "user:eve user.view user:ada"}
	if diff := cmp.Diff(want, deeds(t, s, store.AuditFilter{})); diff != "" {
		t.Error(diff)
	}
}

func TestAFloodOfSignInsLeavesTwoEntriesAnHour(t *testing.T) {
	s := New(t)
	if _, err := s.CreateFirstAccount(t.Context(), Start, "root", "a password that is long enough"); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		for _, name := range []string{"root", fmt.Sprint("name", i)} {
			if err := s.RecordFailure(t.Context(), Start.Add(time.Duration(i)*time.Second), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := deeds(t, s, store.AuditFilter{Action: "panel"}); len(got) != 2 {
		t.Errorf("%d entries: %v", len(got), got)
	}
}

func TestRulesThatChangeAreRecorded(t *testing.T) {
	folder := t.TempDir()
	open := func(rules presence.Rules) *store.Store {
		t.Helper()
		s, err := store.Open(t.Context(), store.Config{Path: folder, Schema: Schema(t), Rules: rules, Now: Start})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	other := presence.DefaultRules()
	other.SessionTTL, other.OnlineWindow = 12*time.Hour, 90*time.Second
	s := open(presence.DefaultRules())
	for _, rules := range []presence.Rules{presence.DefaultRules(), {}, other, other, {}} {
		open(rules)
	}
	want := []string{"system settings.change  online_window 5m -> 1m30s", "system settings.change  session_ttl 24h -> 12h"}
	if diff := cmp.Diff(want, deeds(t, s, store.AuditFilter{})); diff != "" {
		t.Error(diff)
	}
}

func TestTheAuditLogIsFiltered(t *testing.T) {
	s := New(t)
	name := "Ada Ä"
	if _, err := s.PutUser(t.Context(), Start, Shop, store.UserInput{ID: "ada", Name: &name}); err != nil {
		t.Fatal(err)
	}
	key, _, err := s.CreateKey(t.Context(), after(0), "cli", "shop", "", store.Scopes{store.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range []store.AuditEvent{
		{Actor: "user:ada", Action: "user.view", Target: "user:bob"}, {Actor: "user:bob", Action: "user.export", Target: "user:ada", Detail: "50% off"},
		{Actor: "user:bob", Action: "users.count"},
	} {
		if err := s.Record(t.Context(), after(i+1), d); err != nil {
			t.Fatal(err)
		}
	}
	from, to := after(1), after(2)
	for want, f := range map[string]store.AuditFilter{
		"key.create user.view user.export users.count": {},
		"user.view":               {Actor: "user:ada"},
		"user.export":             {Target: "user:ada"},
		"user.view user.export":   {Action: "user"},
		"users.count":             {Action: "users.count"},
		"user.view,user.export":   {From: &from, To: &to},
		"user.view, user.export":  {Search: "ADA"},
		"user.view,  user.export": {Search: "a Ä"},
		"user.export,":            {Search: "50% "},
		"":                        {Search: "%", Action: "users"},
		"key.create":              {Search: "shop"},
		"user.export users.count": {Actor: "user:bob"},
	} {
		page, err := s.Audit(t.Context(), store.AuditFilter{Actor: f.Actor, Target: f.Target, Action: f.Action, From: f.From, To: f.To, Search: f.Search, Limit: 10})
		var got []string
		for _, e := range slices.Backward(page.Entries) {
			got = append(got, e.Action)
		}
		if words := strings.Fields(strings.ReplaceAll(want, ",", " ")); err != nil || !slices.Equal(got, words) {
			t.Errorf("%+v: %v, %v; want %v", f, got, err, words)
		}
	}
	page, err := s.Audit(t.Context(), store.AuditFilter{Limit: 10})
	if err != nil || page.Entries[3].TargetName != "shop" || page.Entries[3].Target != fmt.Sprint("key:", key.ID) ||
		page.Entries[2].ActorName != name || page.Entries[1].TargetName != name || page.Entries[2].TargetName != "" {
		t.Errorf("names: %+v, %v", page.Entries, err)
	}
	for name, f := range map[string]store.AuditFilter{
		"a NUL": {Search: "a\x00"}, "to before from": {From: &to, To: &from}, "a cursor of another list": {Cursor: "eyJzIjoibmFtZSIsImsiOiJhIiwidCI6ImIifQ"},
		"no cursor": {Cursor: "x"},
	} {
		f.Limit = 1
		if _, err := s.Audit(t.Context(), f); !errors.Is(err, sqldb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPagesOfTheAuditLogStayRightWhileItGrows(t *testing.T) {
	s := New(t)
	record := func(i int) {
		if err := s.Record(t.Context(), Start, store.AuditEvent{Actor: "cli", Action: "test", Detail: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		record(i)
	}
	var got []string
	for f := (store.AuditFilter{Limit: 2}); ; {
		page, err := s.Audit(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			got = append(got, e.Text())
		}
		record(99)
		if f.Cursor = page.Next; f.Cursor == "" {
			break
		}
	}
	if want := []string{"4", "3", "2", "1", "0"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestNobodyChangesTheAuditLog(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	deed := store.AuditEvent{Actor: "user:ada", Action: "user.view", Target: "user:bob", Detail: "d"}
	for _, at := range []time.Time{Start, after(1)} {
		if err := s.Record(t.Context(), at, deed); err != nil {
			t.Fatal(err)
		}
	}
	db := OpenShell(t, folder, "")
	for _, statement := range []string{
		`UPDATE audit SET actor = 'user:eve'`, `UPDATE audit SET target = ''`, `UPDATE audit SET at = at + 1`, `UPDATE audit SET action = 'x'`,
		`UPDATE audit SET detail = 'other'`, `UPDATE audit SET id = id + 10`, `DELETE FROM audit`, `DELETE FROM audit WHERE id = 1`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "not to be changed") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if got := deeds(t, s, store.AuditFilter{}); len(got) != 2 || got[0] != "user:ada user.view user:bob d" {
		t.Errorf("left are %v", got)
	}
}

func TestTheAuditLogHasARetentionOfItsOwn(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		kept := presence.DefaultRules().AuditRetention
		for i := range 3 {
			if err := s.Record(t.Context(), after(i), store.AuditEvent{Actor: "cli", Action: "test", Detail: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		for _, test := range []struct {
			now  time.Time
			left int
		}{
			{after(1), 3}, {after(0).Add(kept), 3}, {after(0).Add(kept + time.Millisecond), 2}, {after(5).Add(kept), 0},
		} {
			if _, err := s.Cleanup(context.Background(), test.now); err != nil {
				t.Fatal(err)
			}
			if got := deeds(t, s, store.AuditFilter{Action: "test"}); len(got) != test.left {
				t.Errorf("at %v left are %v", test.now, got)
			}
		}
	})
}
