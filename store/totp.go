package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Codes of an authenticator app are of RFC 6238 as every app knows it: six digits by SHA-1, a new one each 30 seconds.
const (
	totpPeriod    = 30 // seconds
	totpDrift     = 1  // periods that the clock of the app may be behind or ahead: RFC 6238, section 5.2
	totpSecretLen = 20 // bytes: RFC 4226, section 4
	totpEnrolment = 15 * time.Minute
)

// Who knows the password may guess so many codes, and waits then for twice as long after each. That is one try a day in
// the end, of which three in a million hit. Wrong codes can lock nobody out for good: recovery codes count all the same.
const (
	freeGuesses  = 5
	firstBlock   = 5 * time.Minute
	longestBlock = 24 * time.Hour
)

// Recovery codes have 120 random bits, so a plain digest is enough: OWASP ASVS 5.0, 6.5.2, asks for 112.
const (
	recoveryCodes      = 10
	recoveryCodeLength = 24 // letters and digits of base32
)

// OwnAccount is what somebody who is signed in may know of their account.
type OwnAccount struct {
	Name          string
	HasTOTP       bool
	RecoveryCodes int // that are left
}

// OwnAccount returns the account of a user; ErrNotFound for somebody without one.
func (s *Store) OwnAccount(ctx context.Context, user string) (a OwnAccount, err error) {
	err = s.db.Scan(ctx, []any{&a.Name, &a.HasTOTP, &a.RecoveryCodes}, `
		SELECT name, EXISTS (SELECT 1 FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL), (SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1)
		FROM accounts WHERE user_id = $1`, user)
	return a, sqldb.Wrap("finding an account", err)
}

// BeginTOTP returns a new secret for the authenticator app of an account, whose password is repeated. No code is asked for
// until ConfirmTOTP. ErrWrongPassword, ErrHasTOTP, ErrNotFound for somebody without an account.
func (s *Store) BeginTOTP(ctx context.Context, now time.Time, user, password string) (secret []byte, err error) {
	if _, err := s.confirmPassword(ctx, user, password); err != nil {
		return nil, err
	}
	secret = make([]byte, totpSecretLen)
	rand.Read(secret)
	err = s.write(ctx, func(t *tx) error {
		n, err := t.Exec(`
			INSERT INTO totp (user_id, secret, created_at) SELECT user_id, $2, $3 FROM accounts WHERE user_id = $1
			ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at WHERE totp.confirmed_at IS NULL`,
			user, secret, now.UnixMilli())
		if err == nil && n == 0 {
			return ErrHasTOTP
		}
		return sqldb.Wrap("storing the secret of an authenticator app", err)
	})
	return secret, err
}

// ConfirmTOTP has sign-ins of an account ask for a code from now on, because a first one shows that the app has the
// secret. It returns the recovery codes, which nobody can read again, and ends the account's other sessions than this one: they
// began without a code. ErrWrongCode, and ErrNoTOTP where no secret was made within 15 minutes.
func (s *Store) ConfirmTOTP(ctx context.Context, now time.Time, user string, session int64, code string) (recovery []string, err error) {
	s.settle(ctx, now)
	for range recoveryCodes {
		recovery = append(recovery, newRecoveryCode())
	}
	err = s.write(ctx, func(t *tx) error {
		var secret []byte
		err := t.Scan([]any{&secret}, `SELECT secret FROM totp WHERE user_id = $1 AND confirmed_at IS NULL AND created_at > $2`,
			user, now.Add(-totpEnrolment).UnixMilli())
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNoTOTP
		}
		if err != nil {
			return sqldb.Wrap("finding the secret of an authenticator app", err)
		}
		period, ok := matchingPeriod(secret, plainCode(code), now)
		if !ok {
			return ErrWrongCode
		}
		n, err := t.Exec(`UPDATE totp SET confirmed_at = $2, last_period = $3 WHERE user_id = $1 AND confirmed_at IS NULL`, user, now.UnixMilli(), period)
		if err == nil && n == 0 { // by another replica just now
			return ErrNoTOTP
		}
		if err != nil {
			return sqldb.Wrap("confirming an authenticator app", err)
		}
		for i, code := range recovery {
			_, err := t.Exec(`INSERT INTO recovery_codes (user_id, number, code_sha256) VALUES ($1, $2, $3)`, user, i+1, digest(plainCode(code)))
			if err != nil {
				return sqldb.Wrap("storing a recovery code", err)
			}
		}
		actor := UserActor(user)
		if _, err := t.end(s.at(now), Ending{Reason: presence.EndLogout, By: actor}, `user_id = $6 AND id <> $7`, user, session); err != nil {
			return err
		}
		return t.record(now, AuditEvent{Actor: actor, Action: "account.totp_add", Target: actor})
	})
	if err != nil {
		return nil, err
	}
	return recovery, nil
}

// RemoveTOTP removes the authenticator app of an account with its recovery codes. Who asks for it repeats the password and
// gives a code, or a recovery code: errors as of SignIn, and ErrNoTOTP.
func (s *Store) RemoveTOTP(ctx context.Context, now time.Time, user, password, code string) error {
	if _, err := s.confirmPassword(ctx, user, password); err != nil {
		return err
	}
	var refused error
	err := s.write(ctx, func(t *tx) error {
		has, err := t.hasTOTP(user)
		if err == nil && !has {
			return ErrNoTOTP
		}
		if err != nil {
			return err
		}
		if _, refused, err = t.checkCode(now, user, code); err != nil || refused != nil {
			return err
		}
		return t.removeTOTP(now, AuditEvent{Actor: UserActor(user), Action: "account.totp_remove"}, user)
	})
	if err == nil {
		err = refused
	}
	return err
}

// ResetTOTP removes the authenticator app of an account on behalf of actor, such as for somebody who lost it, and ends the
// account's sessions. ErrNotFound where there is none; ErrForbidden for the actor's own, of which a code has to be known.
func (s *Store) ResetTOTP(ctx context.Context, now time.Time, actor, user string) error {
	if actor == UserActor(user) {
		return ErrForbidden
	}
	s.settle(ctx, now)
	return s.write(ctx, func(t *tx) error {
		if err := t.removeTOTP(now, AuditEvent{Actor: actor, Action: "account.totp_reset"}, user); err != nil {
			return err
		}
		_, err := t.end(s.at(now), Ending{Reason: presence.EndRevoked, By: actor}, `user_id = $6`, user)
		return err
	})
}

func (t *tx) removeTOTP(now time.Time, event AuditEvent, user string) error {
	n, err := t.Exec(`DELETE FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL`, user)
	if err == nil && n == 0 {
		return sqldb.ErrNotFound
	}
	if err == nil {
		_, err = t.Exec(`DELETE FROM recovery_codes WHERE user_id = $1`, user)
	}
	if err != nil {
		return sqldb.Wrap("removing an authenticator app", err)
	}
	event.Target = UserActor(user)
	return t.record(now, event)
}

func (t *tx) hasTOTP(user string) (has bool, err error) {
	err = t.Scan([]any{&has}, `SELECT EXISTS (SELECT 1 FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL)`, user)
	return has, sqldb.Wrap("looking for an authenticator app", err)
}

// checkCode tells whether a code proves who has an account, and uses it up: none counts twice. Where it does not, refused says
// why, and what was counted for it has to be committed. An account without an authenticator app needs no code.
func (t *tx) checkCode(now time.Time, user, code string) (proof string, refused, err error) {
	var secret []byte
	var last, failures int64
	var blocked *int64
	// An UPDATE, so that no other replica does the same meanwhile.
	err = t.Scan([]any{&secret, &last, &failures, &blocked}, `
		UPDATE totp SET failures = failures WHERE user_id = $1 AND confirmed_at IS NOT NULL RETURNING secret, last_period, failures, blocked_until`, user)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil, nil
	case err != nil:
		return "", nil, sqldb.Wrap("finding an authenticator app", err)
	}
	switch code = plainCode(code); len(code) {
	case 0:
		return "", ErrCodeNeeded, nil
	case recoveryCodeLength:
		return t.takeRecoveryCode(user, code)
	}
	if blocked != nil && *blocked > now.UnixMilli() {
		return "", &CodesBlockedError{Wait: sqldb.Time(*blocked).Sub(now)}, nil
	}
	period, ok := matchingPeriod(secret, code, now)
	switch {
	case !ok:
		return "", ErrWrongCode, t.noteWrongCode(now, user, failures+1)
	case period <= last: // used up, but no guess: whoever sends it has seen it
		return "", ErrWrongCode, nil
	}
	_, err = t.Exec(`UPDATE totp SET last_period = $2, failures = 0, blocked_until = NULL WHERE user_id = $1`, user, period)
	return "with a code", nil, sqldb.Wrap("using a code", err)
}

func (t *tx) takeRecoveryCode(user, code string) (proof string, refused, err error) {
	n, err := t.Exec(`DELETE FROM recovery_codes WHERE user_id = $1 AND code_sha256 = $2`, user, digest(code))
	if err == nil && n == 0 {
		return "", ErrWrongCode, nil // which is no guess: it has too many bits
	}
	var left int
	if err == nil {
		err = t.Scan([]any{&left}, `SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1`, user)
	}
	return fmt.Sprintf("with a recovery code; %d left", left), nil, sqldb.Wrap("using a recovery code", err)
}

// noteWrongCode counts a wrong code of the app.
func (t *tx) noteWrongCode(now time.Time, user string, failures int64) error {
	var until *int64
	if more := failures - freeGuesses; more >= 0 {
		block := longestBlock
		if more < 16 { // else it would overflow
			block = min(longestBlock, firstBlock<<more)
		}
		until = new(now.Add(block).UnixMilli())
	}
	_, err := t.Exec(`UPDATE totp SET failures = $2, blocked_until = $3 WHERE user_id = $1`, user, failures, until)
	return sqldb.Wrap("counting a wrong code", err)
}

// matchingPeriod returns the latest period that a code is of, among those that count now.
func matchingPeriod(secret []byte, code string, now time.Time) (period int64, ok bool) {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	current := now.Unix() / totpPeriod
	for period = current + totpDrift; period >= current-totpDrift; period-- {
		same, err := hotp.ValidateCustom(code, uint64(period), text, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if same && err == nil {
			return period, true
		}
	}
	return 0, false
}

// newRecoveryCode returns a code in groups, as people can copy it.
func newRecoveryCode() string {
	text := rand.Text()[:recoveryCodeLength]
	return text[:6] + "-" + text[6:12] + "-" + text[12:18] + "-" + text[18:]
}

// plainCode is a code without what people and apps put between its digits.
func plainCode(code string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
}
