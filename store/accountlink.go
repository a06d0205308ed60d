package store

import (
	"context"
	"errors"
	"time"

	"rollcall/store/sqldb"
)

// linkLifetime is how long somebody has to choose the password of their account by a link.
const linkLifetime = 72 * time.Hour

// AccountLink is a link by which somebody chooses the password of their account, once: an invitation, or in place of a
// password that is forgotten. The database has the digest of its secret only.
type AccountLink struct {
	Secret    string
	ExpiresAt time.Time
}

// noLink is an account without a link.
const noLink = `link_sha256 = NULL, link_expires_at = NULL, link_by = NULL`

// Invite makes an account without a password on behalf of actor, and a link by which one can be chosen. The password of the
// input does not count. ErrNameTaken where the name is in use.
func (s *Store) Invite(ctx context.Context, now time.Time, actor string, in AccountInput) (account Account, link AccountLink, err error) {
	if in, err = in.check(); err != nil {
		return Account{}, AccountLink{}, err
	}
	link = newAccountLink(now)
	err = s.write(ctx, func(t *tx) error {
		account, err = t.createAccount(now, AuditEvent{Actor: actor, Detail: in.Access.String() + ", invited"}, in, "")
		if err != nil {
			return err
		}
		return t.setLink(actor, account.ID, link)
	})
	if err != nil {
		return Account{}, AccountLink{}, err
	}
	account.LinkExpiresAt = link.ExpiresAt
	return account, link, nil
}

// NewLink makes a link for the account of a user, on behalf of actor. One from before is void from then on; the password
// stays until the link is used. ErrNotFound for an unknown id, ErrForbidden for the actor's own account: of that one
// the current password has to be known.
func (s *Store) NewLink(ctx context.Context, now time.Time, actor, user string) (AccountLink, error) {
	if actor == UserActor(user) {
		return AccountLink{}, ErrForbidden
	}
	link := newAccountLink(now)
	err := s.write(ctx, func(t *tx) error {
		if err := t.setLink(actor, user, link); err != nil {
			return err
		}
		return t.record(now, AuditEvent{Actor: actor, Action: "account.link", Target: UserActor(user)})
	})
	if err != nil {
		return AccountLink{}, err
	}
	return link, nil
}

func newAccountLink(now time.Time) AccountLink {
	return AccountLink{Secret: newSecret(linkPrefix), ExpiresAt: sqldb.Time(now.Add(linkLifetime).UnixMilli())}
}

func (t *tx) setLink(actor, user string, link AccountLink) error {
	n, err := t.Exec(`UPDATE accounts SET link_sha256 = $2, link_expires_at = $3, link_by = $4 WHERE user_id = $1`,
		user, digest(link.Secret), link.ExpiresAt.UnixMilli(), actor)
	if err == nil && n == 0 {
		return sqldb.ErrNotFound
	}
	return sqldb.Wrap("storing a link", err)
}

// voidLinksBy ends the links that actor made, who may make none from now on.
func (t *tx) voidLinksBy(actor string) error {
	_, err := t.Exec(`UPDATE accounts SET `+noLink+` WHERE link_by = $1`, actor)
	return sqldb.Wrap("ending somebody's links", err)
}

// voidLinksByKey ends the links that a key of app made, and those of the people whose access it granted.
func (t *tx) voidLinksByKey(id int64, app string) error {
	if err := t.voidLinksBy(Key{ID: id}.target() + ":" + app); err != nil {
		return err
	}
	_, err := t.Exec(`
		UPDATE accounts SET `+noLink+` WHERE link_by LIKE 'user:%' AND EXISTS (
			SELECT 1 FROM user_sessions WHERE user_id = substr(accounts.link_by, 6) AND key_id = $1)`, id)
	return sqldb.Wrap("ending links of those whom a key granted access", err)
}

// WithdrawLink makes the link of an account void, on behalf of actor. ErrNotFound where there is none.
func (s *Store) WithdrawLink(ctx context.Context, now time.Time, actor, user string) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.Exec(`UPDATE accounts SET `+noLink+` WHERE user_id = $1 AND link_sha256 IS NOT NULL`, user)
		if err == nil && n == 0 {
			return sqldb.ErrNotFound
		}
		if err != nil {
			return sqldb.Wrap("withdrawing a link", err)
		}
		return t.record(now, AuditEvent{Actor: actor, Action: "account.link_withdraw", Target: UserActor(user)})
	})
}

// AccountOfLink returns the account that a link is for, and leaves the link as it is: what shows a preview of it
// must not use it up. ErrLinkGone for one that can not be used.
func (s *Store) AccountOfLink(ctx context.Context, now time.Time, secret string) (Account, error) {
	rows, err := s.db.Rows(ctx, selectAccount+` WHERE a.link_sha256 = $1 AND a.link_expires_at > $2`, digest(secret), now.UnixMilli())
	if err != nil {
		return Account{}, sqldb.Wrap("finding a link", err)
	}
	found, err := sqldb.Collect(rows, scanAccount)
	if err == nil && len(found) == 0 {
		return Account{}, ErrLinkGone
	}
	if err != nil {
		return Account{}, sqldb.Wrap("finding a link", err)
	}
	return found[0], nil
}

// UseLink gives the account of a link a password, ends its sessions and signs it in. Of any number of simultaneous calls
// one succeeds. Where the account has an authenticator app nobody is signed in, which the result says by an empty token: the
// link stands for the password only. ErrLinkGone for a link that can not be used, ErrInvalid for a password that can not be,
// which leaves the link as it is.
func (s *Store) UseLink(ctx context.Context, now time.Time, secret, password string, from Origin) (LoginResult, error) {
	account, err := s.AccountOfLink(ctx, now, secret) // else strangers could ask for hashes
	if err == nil {
		err = checkPassword(password, account.Name)
	}
	if err != nil {
		return LoginResult{}, err
	}
	s.settle(ctx, now)
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return LoginResult{}, err
	}
	result := LoginResult{Token: newSecret(sessionPrefix), Created: true}
	err = s.write(ctx, func(t *tx) error {
		err := s.setPassword(t, now, AuditEvent{Detail: "by a link"}, hash, 0,
			`user_id = $2 AND link_sha256 = $3 AND link_expires_at > $4`, account.ID, digest(secret), now.UnixMilli())
		if err != nil {
			return err
		}
		if account.HasTOTP, err = t.hasTOTP(account.ID); err != nil || account.HasTOTP {
			return err
		}
		result.Session, err = s.beginPanel(t, now, account.ID, result.Token, from, "")
		return err
	})
	switch {
	case errors.Is(err, sqldb.ErrNotFound): // used meanwhile
		return LoginResult{}, ErrLinkGone
	case err != nil:
		return LoginResult{}, err
	case account.HasTOTP:
		return LoginResult{}, nil
	}
	return result, nil
}
