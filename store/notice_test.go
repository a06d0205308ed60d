package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

func post(t testing.TB, s *store.Store, now time.Time, in store.NoticeInput) store.Notice {
	t.Helper()
	if in.Level == "" {
		in.Level = store.LevelInfo
	}
	n, err := s.PostNotice(t.Context(), now, "user:root", in)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// noticed lists the messages of all notices with who has seen them: "late 1/2", or
// "past 1" of those that are over.
func noticed(t testing.TB, s *store.Store, now time.Time) string {
	t.Helper()
	all, err := s.Notices(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, n := range all {
		line := fmt.Sprint(n.Message, " ", n.Seen)
		if n.Active {
			line += fmt.Sprint("/", n.Of)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ", ")
}

// enter logs a user of an app and an organization in.
func enter(t testing.TB, s *store.Store, id, app, organization string) string {
	t.Helper()
	result, err := s.Login(t.Context(), Start, store.By{App: app}, store.Login{User: store.UserInput{ID: id, Organization: &organization}})
	if err != nil {
		t.Fatal(err)
	}
	return result.Token
}

func TestANoticeIsForItsAudience(t *testing.T) {
	for _, test := range []struct {
		fact, app, organization, sees string
	}{
		{"everybody, but for the panel", "", "", "ada bob cyd"},
		{"an app", "shop", "", "ada bob"},
		{"an organization", "", "Acme", "ada cyd"},
		{"an organization in an app", "blog", "Acme", "cyd"},
		{"nobody", "blog", "Initech", ""},
		{"the panel, when it is meant", presence.PanelApp, "", "rollcall:root"},
	} {
		t.Run(test.fact, func(t *testing.T) {
			Each(t, func(t *testing.T, s *store.Store) {
				tokens := map[string]string{"ada": enter(t, s, "ada", "shop", "Acme"), "bob": enter(t, s, "bob", "shop", "Initech"), "cyd": enter(t, s, "cyd", "blog", "Acme")}
				_, err := s.CreateAccount(t.Context(), Start, store.ActorCLI, store.AccountInput{Name: "root", Password: "correct horse battery staple", Access: store.AccessAdmin})
				if err != nil {
					t.Fatal(err)
				}
				panel, err := s.SignInAs(t.Context(), Start, "rollcall:root", store.Origin{})
				if err != nil {
					t.Fatal(err)
				}
				tokens["rollcall:root"] = panel.Token
				n := post(t, s, Start, store.NoticeInput{Message: "m", App: test.app, Organization: test.organization})
				want := strings.Fields(test.sees)
				if got := noticed(t, s, Start); got != fmt.Sprint("m 0/", len(want)) {
					t.Errorf("before anybody saw it: %s", got)
				}
				for user, token := range tokens {
					beaten, err := s.Touch(t.Context(), Start, token, store.Beat{WantMember: true, Seen: []int64{n.ID, 7, n.ID}})
					if err != nil {
						t.Fatal(err)
					}
					person, err := s.Authenticate(t.Context(), Start, token)
					if err != nil || n.For(beaten.Member) != strings.Contains(test.sees, user) || n.For(person.Member) != n.For(beaten.Member) {
						t.Errorf("for %s: %v by the heartbeat, %v by the token, %v", user, n.For(beaten.Member), n.For(person.Member), err)
					}
				}
				if got := noticed(t, s, Start); got != fmt.Sprintf("m %d/%d", len(want), len(want)) {
					t.Errorf("after everybody said to have seen it: %s", got)
				}
			})
		})
	}
}

func TestANoticeIsShownUntilItsTimeOrUntilItIsWithdrawn(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ada := enter(t, s, "ada", "shop", "")
		soon, later := Start.Add(time.Minute), Start.Add(time.Hour)
		first := post(t, s, Start, store.NoticeInput{Message: "first", Until: &soon})
		post(t, s, Start.Add(time.Millisecond), store.NoticeInput{Message: "second", Until: &later})
		third := post(t, s, Start.Add(time.Second), store.NoticeInput{Message: "third"})
		Touch(t, s, Start, ada, store.Beat{Seen: []int64{first.ID}})
		Touch(t, s, Start.Add(4*time.Minute), ada, store.Beat{Seen: []int64{first.ID}})
		for _, moment := range []struct {
			at   time.Time
			want string
		}{{soon.Add(-time.Millisecond), "third 0/1, second 0/1, first 1/1"}, {soon, "third 0/1, second 0/1, first 1"}} {
			if got := noticed(t, s, moment.at); got != moment.want {
				t.Errorf("at %v: %s, want %s", moment.at, got, moment.want)
			}
		}
		for range 2 {
			if err := s.WithdrawNotice(t.Context(), soon, "user:root", third.ID); err != nil {
				t.Fatal("withdrawing, also twice:", err)
			}
		}
		active, err := s.ActiveNotices(t.Context(), soon)
		if err != nil || len(active) != 1 || active[0].Message != "second" {
			t.Errorf("shown are %+v, %v", active, err)
		}
		WantError(t, s.WithdrawNotice(t.Context(), soon, "user:root", 4711), sqldb.ErrNotFound)
	})
}

func TestNoticesThatAreRefused(t *testing.T) {
	s := New(t)
	past, far := Start, Start.AddDate(2, 0, 0)
	for fact, in := range map[string]store.NoticeInput{
		"no message":              {},
		"a blank message":         {Message: " \u00a0"},
		"a long message":          {Message: strings.Repeat("ä", 501)},
		"a line break":            {Message: "a\nb"},
		"no text":                 {Message: "a\xff"},
		"an unknown level":        {Message: "m", Level: "fatal"},
		"an unknown organization": {Message: "m", Organization: "Nowhere"},
		"an end in the past":      {Message: "m", Until: &past},
		"an end beyond a year":    {Message: "m", Until: &far},
		"an app that can not be":  {Message: "m", App: strings.Repeat("x", 65)},
	} {
		if in.Level == "" {
			in.Level = store.LevelInfo
		}
		if _, err := s.PostNotice(t.Context(), Start, "user:root", in); !errors.Is(err, sqldb.ErrInvalid) {
			t.Errorf("%s: %v", fact, err)
		}
	}
	if got := noticed(t, s, Start); got != "" {
		t.Errorf("stored are %s", got)
	}
}

func TestTwentyNoticesAreShownAtOnce(t *testing.T) {
	s := New(t)
	var last store.Notice
	for range 20 {
		last = post(t, s, Start, store.NoticeInput{Message: strings.Repeat("ä", 500)})
	}
	_, err := s.PostNotice(t.Context(), Start, "user:root", store.NoticeInput{Message: "m", Level: store.LevelInfo})
	WantError(t, err, store.ErrTooManyNotices)
	if err := s.WithdrawNotice(t.Context(), Start, "user:root", last.ID); err != nil {
		t.Fatal(err)
	}
	post(t, s, Start, store.NoticeInput{Message: "m"})
}

func TestNoticesGoWithTheirRetentionAndWithTheirOrganization(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	ada := enter(t, s, "ada", "shop", "Acme")
	until := Start.Add(time.Hour)
	seen := post(t, s, Start, store.NoticeInput{Message: "over", Until: &until})
	withdrawn := post(t, s, Start, store.NoticeInput{Message: "withdrawn"})
	post(t, s, Start, store.NoticeInput{Message: "without end", Organization: "Acme"})
	Touch(t, s, Start, ada, store.Beat{Seen: []int64{seen.ID}})
	if err := s.WithdrawNotice(t.Context(), until, "user:root", withdrawn.ID); err != nil {
		t.Fatal(err)
	}
	count := func(at time.Time) int64 {
		t.Helper()
		if _, err := s.Cleanup(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		return Number(t, OpenShell(t, folder, ""), `SELECT COUNT(*) FROM notices`)
	}
	gone := until.Add(presence.DefaultRules().Retention)
	if n := count(gone.Add(-time.Millisecond)); n != 3 {
		t.Errorf("%d are left before their time", n)
	}
	if n := count(gone); n != 1 {
		t.Errorf("%d are left after it", n)
	}
	db := OpenShell(t, folder, "&_pragma=foreign_keys(1)")
	if n := Number(t, db, `SELECT COUNT(*) FROM notice_receipts`); n != 0 {
		t.Errorf("%d receipts are left", n)
	}
	ExecSQL(t, db, `DELETE FROM organizations`)
	if n := Number(t, db, `SELECT COUNT(*) FROM notices`); n != 0 {
		t.Error("a notice to an organization that is gone is left")
	}
}

func TestWhoAnnouncedAndWithdrewIsKept(t *testing.T) {
	folder := t.TempDir()
	s := Open(t, folder, presence.DefaultRules())
	n := post(t, s, Start, store.NoticeInput{Message: "m"})
	for range 2 {
		if err := s.WithdrawNotice(t.Context(), Start, "key:7:ops", n.ID); err != nil {
			t.Fatal(err)
		}
	}
	wantAudit(t, folder, fmt.Sprint("user:root notice.post notice:", n.ID, " m"), fmt.Sprint("key:7:ops notice.withdraw notice:", n.ID, " "))
}

// wantAudit fails unless these are the deeds in the audit log.
func wantAudit(t *testing.T, folder string, want ...string) {
	t.Helper()
	rows, err := OpenShell(t, folder, "").Query(`SELECT actor || ' ' || action || ' ' || target || ' ' || detail || words FROM audit ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		got = append(got, line)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the audit log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
