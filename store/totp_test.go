package store_test

import (
	"encoding/base32"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"rollcall/store"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
	. "rollcall/store/storetest"
)

// app is somebody's authenticator app, with the recovery codes they keep beside it.
type app struct {
	t        *testing.T
	s        *store.Store
	secret   []byte
	recovery []string
}

// code is what the app shows at a time.
func (a *app) code(at time.Time) string {
	a.t.Helper()
	code, err := totp.GenerateCode(base32.StdEncoding.EncodeToString(a.secret), at)
	if err != nil {
		a.t.Fatal(err)
	}
	return code
}

// wrong is a code of six digits that counts at no time near by.
func (a *app) wrong(at time.Time) string {
	for _, code := range []string{"000000", "000001", "000002", "000003", "000004", "000005", "000006"} {
		if code != a.code(at) && code != a.code(at.Add(-30*time.Second)) && code != a.code(at.Add(30*time.Second)) {
			return code
		}
	}
	a.t.Fatal("all are right")
	return ""
}

func (a *app) signIn(at time.Time, code string) error {
	_, err := a.s.SignIn(a.t.Context(), at, store.Credentials{Name: "root", Password: Password, Code: code}, store.Origin{})
	return err
}

// withApp has an authenticator app for the account "root" since Start.
func withApp(t *testing.T, s *store.Store) *app {
	t.Helper()
	if _, err := s.CreateFirstAccount(t.Context(), Start, "root", Password); err != nil {
		t.Fatal(err)
	}
	a := &app{t: t, s: s}
	var err error
	if a.secret, err = s.BeginTOTP(t.Context(), Start, rootID, Password); err == nil {
		a.recovery, err = s.ConfirmTOTP(t.Context(), Start, rootID, 0, a.code(Start))
	}
	if err != nil || len(a.recovery) != 10 {
		t.Fatal(a.recovery, err)
	}
	return a
}

const rootID = "rollcall:root"

func TestAddingAnAuthenticatorApp(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		if _, err := s.CreateFirstAccount(ctx, Start, "root", Password); err != nil {
			t.Fatal(err)
		}
		here, err := s.SignInAs(ctx, Start, rootID, store.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		there, err := s.SignInAs(ctx, Start, rootID, store.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		a := &app{t: t, s: s}
		_, err = s.ConfirmTOTP(ctx, Start, rootID, here.ID, "123456")
		WantError(t, err, store.ErrNoTOTP)
		_, err = s.BeginTOTP(ctx, Start, rootID, "a wrong password")
		WantError(t, err, store.ErrWrongPassword)
		_, err = s.BeginTOTP(ctx, Start, "shop/ada", Password)
		WantError(t, err, sqldb.ErrNotFound)
		before, err := s.BeginTOTP(ctx, Start, rootID, Password)
		if err != nil {
			t.Fatal(err)
		}
		if a.secret, err = s.BeginTOTP(ctx, Start, rootID, Password); err != nil || len(a.secret) != 20 || string(a.secret) == string(before) {
			t.Fatalf("%x after %x, %v", a.secret, before, err)
		}
		old := &app{t: t, secret: before}
		for _, code := range []string{"", a.wrong(Start), old.code(Start), "ABCDEF"} {
			_, err = s.ConfirmTOTP(ctx, Start, rootID, here.ID, code)
			WantError(t, err, store.ErrWrongCode)
		}
		if err := a.signIn(Start, ""); err != nil {
			t.Fatal("nothing is confirmed, and yet:", err)
		}
		late := Start.Add(15 * time.Minute)
		_, err = s.ConfirmTOTP(ctx, late, rootID, here.ID, a.code(late))
		WantError(t, err, store.ErrNoTOTP)
		recovery, err := s.ConfirmTOTP(ctx, Start, rootID, here.ID, a.code(Start)[:3]+" "+a.code(Start)[3:])
		if err != nil || len(recovery) != 10 || len(recovery[0]) != len("ABCDEF-GHIJKL-MNOPQR-STUVWX") {
			t.Fatal(recovery, err)
		}
		if _, err := s.Touch(ctx, Start, here.Token, store.Beat{}); err != nil {
			t.Error("the own session:", err)
		}
		var ended *store.EndedError
		if _, err = s.Touch(ctx, Start, there.Token, store.Beat{}); !errors.As(err, &ended) || ended.Reason != presence.EndLogout {
			t.Errorf("the other session, which began without a code: %v", err)
		}
		_, err = s.BeginTOTP(ctx, Start, rootID, Password)
		WantError(t, err, store.ErrHasTOTP)
		_, err = s.ConfirmTOTP(ctx, Start, rootID, here.ID, a.code(Start))
		WantError(t, err, store.ErrNoTOTP)
		if own, err := s.OwnAccount(ctx, rootID); err != nil || own != (store.OwnAccount{Name: "root", HasTOTP: true, RecoveryCodes: 10}) {
			t.Errorf("%+v, %v", own, err)
		}
	})
}

func TestSigningInWithACode(t *testing.T) {
	const period = 30 * time.Second
	Each(t, func(t *testing.T, s *store.Store) {
		a := withApp(t, s)
		now := Start.Add(time.Hour)
		for _, name := range []string{"root", "nobody"} { // nothing tells of the app before the password is right
			_, err := s.SignIn(t.Context(), now, store.Credentials{Name: name, Password: "a wrong password", Code: a.code(now)}, store.Origin{})
			WantError(t, err, store.ErrWrongPassword)
		}
		WantError(t, a.signIn(now, ""), store.ErrCodeNeeded)
		WantError(t, a.signIn(now, a.code(now.Add(-2*period))), store.ErrWrongCode)
		WantError(t, a.signIn(now, a.code(now.Add(2*period))), store.ErrWrongCode)
		for _, step := range []struct {
			of   time.Time
			want error
		}{
			{now.Add(-period), nil}, {now.Add(-period), store.ErrWrongCode}, {now, nil}, {now, store.ErrWrongCode},
			{now.Add(period), nil}, {now, store.ErrWrongCode}, {now.Add(-period), store.ErrWrongCode},
		} {
			if err := a.signIn(now, a.code(step.of)); !errors.Is(err, step.want) {
				t.Errorf("the code of %v: %v, want %v", step.of.Sub(now), err, step.want)
			}
		}
	})
}

func TestTheCodeThatConfirmedTheAppIsUsedUp(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		a := withApp(t, s)
		WantError(t, a.signIn(Start, a.code(Start)), store.ErrWrongCode)
	})
}

// TestEachCodeCountsOnce has each sent many times at once.
func TestEachCodeCountsOnce(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		a := withApp(t, s)
		for name, code := range map[string]string{"of the app": a.code(Start.Add(time.Hour)), "for recovery": strings.ToLower(a.recovery[3])} {
			results := make(chan error, 8)
			var all sync.WaitGroup
			for range cap(results) {
				all.Go(func() { results <- a.signIn(Start.Add(time.Hour), code) })
			}
			all.Wait()
			close(results)
			in := 0
			for err := range results {
				if err == nil {
					in++
				} else if !errors.Is(err, store.ErrWrongCode) {
					t.Error(err)
				}
			}
			if in != 1 {
				t.Errorf("the code %s signed in %d times", name, in)
			}
		}
	})
}

// TestACodeThatIsUsedUpIsNoGuess has a right code sent again: a browser or a person repeats what they know.
func TestACodeThatIsUsedUpIsNoGuess(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		a, now := withApp(t, s), Start.Add(time.Hour)
		if err := a.signIn(now, a.code(now)); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 6 {
			for _, code := range []string{a.code(now), a.code(now.Add(-30 * time.Second))} { // older than the one that was taken, too
				all.Go(func() {
					if err := a.signIn(now, code); !errors.Is(err, store.ErrWrongCode) {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		for range 4 {
			WantError(t, a.signIn(now, a.wrong(now)), store.ErrWrongCode)
		}
		WantError(t, a.signIn(now, a.code(now)), store.ErrWrongCode) // which forgives no guess either
		WantError(t, a.signIn(now, a.wrong(now)), store.ErrWrongCode)
		WantError(t, a.signIn(now, a.code(now.Add(30*time.Second))), store.ErrCodesBlocked)
	})
}

func TestCodesCanNotBeGuessed(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		a, now := withApp(t, s), Start.Add(time.Hour)
		blocked := func(want time.Duration) {
			t.Helper()
			var b *store.CodesBlockedError
			if err := a.signIn(now, a.code(now)); !errors.As(err, &b) || b.Wait != want {
				t.Fatalf("a right code: %v, want a wait for %v", err, want)
			}
		}
		for range 5 {
			WantError(t, a.signIn(now, a.wrong(now)), store.ErrWrongCode)
		}
		blocked(5 * time.Minute)
		WantError(t, a.signIn(now, a.wrong(now)), store.ErrCodesBlocked) // which is no guess
		blocked(5 * time.Minute)
		WantError(t, a.signIn(now, ""), store.ErrCodeNeeded)
		if err := s.RemoveTOTP(t.Context(), now, rootID, Password, a.code(now)); !errors.Is(err, store.ErrCodesBlocked) {
			t.Error("they can be guessed where the app is removed:", err)
		}
		for _, wait := range []time.Duration{10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute, 160 * time.Minute, 320 * time.Minute, 640 * time.Minute, 1280 * time.Minute,
			24 * time.Hour, 24 * time.Hour} {
			now = now.Add(24 * time.Hour)
			WantError(t, a.signIn(now, a.wrong(now)), store.ErrWrongCode)
			blocked(wait)
		}
		if err := a.signIn(now, a.recovery[0]); err != nil {
			t.Error("a recovery code of who was locked out by others:", err)
		}
		now = now.Add(24 * time.Hour)
		if err := a.signIn(now, a.code(now)); err != nil {
			t.Error(err)
		}
		WantError(t, a.signIn(now, a.wrong(now)), store.ErrWrongCode)
		if err := a.signIn(now.Add(30*time.Second), a.code(now.Add(30*time.Second))); err != nil {
			t.Error("one wrong code after a right one:", err)
		}
	})
}

func TestWrongCodesAtOnceAreAllCounted(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		a, now := withApp(t, s), Start.Add(time.Hour)
		results := make(chan error, 12)
		var all sync.WaitGroup
		for range cap(results) {
			all.Go(func() { results <- a.signIn(now, a.wrong(now)) })
		}
		all.Wait()
		close(results)
		guesses := 0
		for err := range results {
			if errors.Is(err, store.ErrWrongCode) {
				guesses++
			} else if !errors.Is(err, store.ErrCodesBlocked) {
				t.Error(err)
			}
		}
		if guesses != 5 {
			t.Errorf("%d guesses were tried, want 5", guesses)
		}
	})
}

func TestRemovingAnAuthenticatorApp(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), Start.Add(time.Hour)
		a := withApp(t, s)
		WantError(t, s.RemoveTOTP(ctx, now, rootID, "a wrong password", a.code(now)), store.ErrWrongPassword)
		WantError(t, s.RemoveTOTP(ctx, now, rootID, Password, ""), store.ErrCodeNeeded)
		WantError(t, s.RemoveTOTP(ctx, now, rootID, Password, a.wrong(now)), store.ErrWrongCode)
		WantError(t, a.signIn(now, ""), store.ErrCodeNeeded)
		if err := s.RemoveTOTP(ctx, now, rootID, Password, a.code(now)); err != nil {
			t.Fatal(err)
		}
		WantError(t, s.RemoveTOTP(ctx, now, rootID, Password, a.code(now)), store.ErrNoTOTP)
		if err := a.signIn(now, ""); err != nil {
			t.Error(err)
		}
		if own, err := s.OwnAccount(ctx, rootID); err != nil || own.HasTOTP || own.RecoveryCodes != 0 {
			t.Errorf("%+v, %v", own, err)
		}
		second := &app{t: t, s: s}
		var err error
		if second.secret, err = s.BeginTOTP(ctx, now, rootID, Password); err == nil {
			second.recovery, err = s.ConfirmTOTP(ctx, now, rootID, 0, second.code(now))
		}
		if err != nil {
			t.Fatal(err)
		}
		WantError(t, a.signIn(now, a.recovery[0]), store.ErrWrongCode) // of the app before
	})
}

func TestResettingTheAuthenticatorAppOfSomebodyElse(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), Start.Add(time.Hour)
		a := withApp(t, s)
		session, err := s.SignIn(ctx, now, store.Credentials{Name: "root", Password: Password, Code: a.code(now)}, store.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		WantError(t, s.ResetTOTP(ctx, now, "user:"+rootID, rootID), store.ErrForbidden)
		WantError(t, s.ResetTOTP(ctx, now, "cli", "rollcall:nobody"), sqldb.ErrNotFound)
		if err := s.ResetTOTP(ctx, now, "cli", rootID); err != nil {
			t.Fatal(err)
		}
		_, err = s.Touch(ctx, now, session.Token, store.Beat{})
		WantError(t, err, store.ErrSessionEnded)
		if err := a.signIn(now, ""); err != nil {
			t.Error(err)
		}
		WantError(t, s.ResetTOTP(ctx, now, "cli", rootID), sqldb.ErrNotFound)
	})
}

func TestALinkDoesNotReplaceTheCode(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		a, now := withApp(t, s), Start.Add(time.Hour)
		link, err := s.NewLink(t.Context(), now, "cli", rootID)
		if err != nil {
			t.Fatal(err)
		}
		in, err := s.UseLink(t.Context(), now, link.Secret, chosen, store.Origin{})
		if err != nil || in.Token != "" || in.ID != 0 {
			t.Fatalf("the link signed in: %+v, %v", in, err)
		}
		if n, err := s.CountSessions(t.Context(), now, store.SessionFilter{App: presence.PanelApp}); n != 0 || err != nil {
			t.Errorf("%d sessions began by it, %v", n, err)
		}
		_, err = s.SignIn(t.Context(), now, store.Credentials{Name: "root", Password: chosen}, store.Origin{})
		WantError(t, err, store.ErrCodeNeeded)
		if _, err = s.SignIn(t.Context(), now, store.Credentials{Name: "root", Password: chosen, Code: a.code(now)}, store.Origin{}); err != nil {
			t.Error(err)
		}
	})
}

// TestTheSecretsOfASecondFactorAreNotTold looks where others than the owner do.
func TestTheSecretsOfASecondFactorAreNotTold(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		a := withApp(t, s)
		if err := a.signIn(Start.Add(time.Hour), a.recovery[0]); err != nil {
			t.Fatal(err)
		}
		page, err := s.Audit(t.Context(), store.AuditFilter{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		for _, entry := range page.Entries {
			said.WriteString(entry.Actor + " " + entry.Action + " " + entry.Target + " " + entry.Text() + "\n")
		}
		for _, secret := range append(a.recovery, string(a.secret), base32.StdEncoding.EncodeToString(a.secret)) {
			if strings.Contains(said.String(), secret) {
				t.Errorf("the audit log has %q", secret)
			}
		}
		for _, want := range []string{"user:rollcall:root account.totp_add user:rollcall:root", "user:rollcall:root panel.sign_in  with a recovery code; 9 left"} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("the audit log lacks %q:\n%s", want, said.String())
			}
		}
	})
}
