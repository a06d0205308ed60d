package storetest

import (
	"encoding/base32"
	"fmt"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"rollcall/store"
	"rollcall/store/presence"
)

// Password is that of the account "root" after Everything.
const Password = "correct horse battery staple"

// Everything uses every feature of the store for so many people, so that no table
// is empty, over a day that ends at the instant returned. It returns tokens of
// sessions: of those that are open then, and of some that have ended.
func Everything(t testing.TB, s *store.Store, people int) (now time.Time, open, ended []string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now = Start
	must(s.History.RecordVisitors(t.Context(), now))
	_, err := s.CreateFirstAccount(t.Context(), now, "root", Password)
	must(err)
	must(twoFactor(t, s, now))
	_, _, err = s.CreateKey(t.Context(), now, "user:rollcall:root", "shop", "", store.Scopes{store.ScopeRead, store.ScopeSessions})
	must(err)
	for i := range people {
		token, last := live(t, s, now.Add(time.Duration(i)*time.Second), i)
		if last {
			ended = append(ended, token)
		} else {
			open = append(open, token)
		}
	}
	now = now.Add(time.Duration(people) * time.Second)
	notice, err := s.PostNotice(t.Context(), now, "user:rollcall:root", store.NoticeInput{Message: "Deploy at ten – “soon”", Level: store.LevelWarning})
	must(err)
	for _, token := range open {
		_, err := s.Touch(t.Context(), now, token, store.Beat{Seen: []int64{notice.ID}})
		must(err)
	}
	for _, sample := range []func() error{
		func() error { return s.History.RecordPeak(t.Context(), now, people) },
		func() error { return s.History.Sample(t.Context(), now) },
		func() error { return s.History.RecordVisitors(t.Context(), now) },
		func() error { return s.RecordView(t.Context(), now, "user:rollcall:root", "user0") },
	} {
		must(sample())
	}
	must(s.NoteUnknownToken(t.Context(), now, "a token that nobody has reported", "", "https://shop.example"))
	must(s.NoteRefusedHeartbeat(t.Context(), now, store.RefusedBeat{Network: "203.0.113.0/24", Code: "unknown_host", Origin: "https://shop.example"}))
	must(s.NoteRefusedReport(t.Context(), now, "shop", "user0", "invalid_request"))
	_, err = s.BeginDrain(t.Context(), now, "user:rollcall:root", "back at noon", nil)
	must(err)
	return now, open, ended
}

// twoFactor has an invited account "grace", which got a password and an authenticator app, and another link.
func twoFactor(t testing.TB, s *store.Store, now time.Time) error {
	account, link, err := s.Invite(t.Context(), now, "user:rollcall:root", store.AccountInput{Name: "grace", Access: store.AccessViewer})
	if err != nil {
		return err
	}
	if _, err := s.UseLink(t.Context(), now, link.Secret, Password, store.Origin{}); err != nil {
		return err
	}
	secret, err := s.BeginTOTP(t.Context(), now, account.ID, Password)
	if err != nil {
		return err
	}
	code, err := totp.GenerateCode(base32.StdEncoding.EncodeToString(secret), now)
	if err != nil {
		return err
	}
	if _, err := s.ConfirmTOTP(t.Context(), now, account.ID, 0, code); err != nil {
		return err
	}
	_, err = s.NewLink(t.Context(), now, "user:rollcall:root", account.ID)
	return err
}

// live is a login of one person and what follows; it tells whether it ended.
func live(t testing.TB, s *store.Store, now time.Time, i int) (token string, ended bool) {
	t.Helper()
	id, name, organization := fmt.Sprint("user", i), fmt.Sprintf("Zoë %d 🙂", i), fmt.Sprint("Organization ", i%7)
	user := store.UserInput{ID: id, Name: &name}
	if i%3 > 0 {
		user.Organization = &organization
	}
	from := store.Origin{IPAddress: "192.0.2.7", UserAgent: []string{"", "Firefox", "Safari"}[i%3]}
	login, err := s.Login(t.Context(), now, store.By{App: "shop"}, store.Login{User: user, Origin: from})
	if err != nil {
		t.Fatal(err)
	}
	if i%6 == 0 { // its token is replaced
		next := fmt.Sprintf("token-of-the-application-%d", i)
		_, err := s.Login(t.Context(), now, store.By{App: "shop"}, store.Login{User: store.UserInput{ID: id}, Token: next, PreviousToken: login.Token, SessionKey: fmt.Sprint("session ", i)})
		if err != nil {
			t.Fatal(err)
		}
		login.Token = next
	}
	page := fmt.Sprint("/page/", i)
	for _, client := range []string{"phone", "desk"}[:1+i%2] {
		if _, err := s.Touch(t.Context(), now, login.Token, store.Beat{Client: client, Page: &page}); err != nil {
			t.Fatal(err)
		}
	}
	if i%11 == 10 {
		if _, err := s.Touch(t.Context(), now, login.Token, store.Beat{Leaving: true}); err != nil {
			t.Fatal(err)
		}
	}
	if i%4 == 1 {
		if err := s.SetStatus(t.Context(), now, id, presence.Claim{Status: presence.StatusBusy, Text: "Recording"}); err != nil {
			t.Fatal(err)
		}
	}
	if i%5 != 4 {
		return login.Token, false
	}
	if _, err := s.EndByID(t.Context(), now, "shop", login.ID, presence.EndLogout); err != nil {
		t.Fatal(err)
	}
	return login.Token, true
}
