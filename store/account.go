package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"rollcall/store/fold"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Account is a person who signs in to the panel with a password.
type Account struct {
	ID        string // of the user
	Name      string
	Access    Access
	CreatedAt time.Time
}

// AccountInput is what a new account needs.
type AccountInput struct {
	Name     string
	Password string
	Access   Access // viewer or admin
}

// AccountID returns the user id of the account of that name.
func AccountID(name string) string { return accountPrefix + strings.ToLower(name) }

var accountName = regexp.MustCompile(`^[a-z0-9._@+-]{1,64}$`)

// check returns the input with its name folded to lower case.
func (in AccountInput) check() (AccountInput, error) {
	in.Name = strings.ToLower(in.Name)
	if !accountName.MatchString(in.Name) {
		return in, sqldb.Invalid("name must have 1 to 64 letters, digits or . _ @ + -")
	}
	if in.Access != AccessViewer && in.Access != AccessAdmin {
		return in, sqldb.Invalid("access must be viewer or admin")
	}
	return in, checkPassword(in.Password, in.Name)
}

// CreateAccount makes an account on behalf of actor; ErrNameTaken where the name
// is in use.
func (s *Store) CreateAccount(ctx context.Context, now time.Time, actor string, in AccountInput) (Account, error) {
	return s.createAccount(ctx, now, AuditEvent{Actor: actor}, in, func(*tx) error { return nil })
}

// CreateFirstAccount makes the first account, an admin; ErrAlreadySetUp where
// there is one. Of any number of simultaneous calls one succeeds.
func (s *Store) CreateFirstAccount(ctx context.Context, now time.Time, name, password string) (Account, error) {
	in := AccountInput{Name: name, Password: password, Access: AccessAdmin}
	event := AuditEvent{Actor: UserActor(AccountID(name)), Detail: "the first account"}
	return s.createAccount(ctx, now, event, in, func(t *tx) error {
		var accounts int
		err := t.Scan([]any{&accounts}, `SELECT COUNT(*) FROM accounts`)
		if err == nil && accounts > 0 {
			return ErrAlreadySetUp
		}
		return sqldb.Wrap("counting the accounts", err)
	})
}

func (s *Store) createAccount(ctx context.Context, now time.Time, event AuditEvent, in AccountInput, allowed func(*tx) error) (Account, error) {
	in, err := in.check()
	if err != nil {
		return Account{}, err
	}
	hash, err := hashPassword(ctx, in.Password) // before the write: it takes long
	if err != nil {
		return Account{}, err
	}
	account := Account{ID: AccountID(in.Name), Name: in.Name, Access: in.Access, CreatedAt: sqldb.Time(now.UnixMilli())}
	event.Action, event.Target, event.Detail = "account.create", UserActor(account.ID), cmp.Or(event.Detail, account.Access.String())
	err = s.write(ctx, func(t *tx) error {
		if err := allowed(t); err != nil {
			return err
		}
		n, err := t.Exec(`
			INSERT INTO users (id, name, access, created_at, updated_at, folded) VALUES ($1, $2, $3, $4, $4, $5)
			ON CONFLICT (id) DO NOTHING`, account.ID, account.Name, account.Access, now.UnixMilli(), fold.User(account.Name, "", account.ID, "", ""))
		if err == nil && n == 0 {
			return ErrNameTaken
		}
		if err != nil {
			return sqldb.Wrap("storing an account's user", err)
		}
		_, err = t.Exec(`INSERT INTO accounts (user_id, name, password_hash, created_at) VALUES ($1, $2, $3, $4)`,
			account.ID, account.Name, hash, now.UnixMilli())
		if err != nil {
			return sqldb.Wrap("storing an account", err)
		}
		return t.record(now, event)
	})
	if err != nil {
		return Account{}, err
	}
	return account, nil
}

// Accounts lists all accounts by name.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	rows, err := s.db.Rows(ctx, `
		SELECT a.user_id, a.name, u.access, a.created_at FROM accounts a JOIN users u ON u.id = a.user_id ORDER BY a.name`)
	if err != nil {
		return nil, sqldb.Wrap("listing the accounts", err)
	}
	accounts, err := sqldb.Collect(rows, scanAccount)
	return accounts, sqldb.Wrap("listing the accounts", err)
}

func scanAccount(rows *sql.Rows) (a Account, err error) {
	var created int64
	err = rows.Scan(&a.ID, &a.Name, &a.Access, &created)
	a.CreatedAt = sqldb.Time(created)
	return a, err
}

// HasAccounts tells whether the first account exists.
func (s *Store) HasAccounts(ctx context.Context) (bool, error) {
	var exists bool
	err := s.db.Scan(ctx, []any{&exists}, `SELECT EXISTS (SELECT 1 FROM accounts)`)
	return exists, sqldb.Wrap("looking for an account", err)
}

// SetPassword gives an account a new password, on behalf of actor, and ends its
// sessions. ErrNotFound for an unknown name.
func (s *Store) SetPassword(ctx context.Context, now time.Time, actor, name, password string) error {
	s.settle(ctx, now)
	if err := checkPassword(password, name); err != nil {
		return err
	}
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		var user string
		err := t.Scan([]any{&user}, `UPDATE accounts SET password_hash = $2 WHERE name = $1 RETURNING user_id`,
			strings.ToLower(name), hash)
		if err != nil {
			return sqldb.Wrap("changing a password", err)
		}
		if _, err = t.end(s.at(now), Ending{Reason: presence.EndPasswordChanged}, `user_id = $6`, user); err != nil {
			return err
		}
		return t.record(now, AuditEvent{Actor: actor, Action: "account.password", Target: UserActor(user)})
	})
}

// DeleteAccount deletes an account with its sessions. ErrNotFound for an
// unknown id, ErrLastAdmin for the only admin.
func (s *Store) DeleteAccount(ctx context.Context, now time.Time, actor, id string) error {
	switch _, _, err := s.examine(ctx, id); {
	case err != nil:
		return err
	case !strings.HasPrefix(id, accountPrefix):
		return sqldb.ErrNotFound
	}
	if err := s.removeMuchOf(ctx, now, id, "false"); err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		var access Access
		err := t.Scan([]any{&access}, `
			DELETE FROM users WHERE id = $1 AND id IN (SELECT user_id FROM accounts) RETURNING access`, id)
		if err != nil {
			return sqldb.Wrap("deleting an account", err)
		}
		if access == AccessAdmin {
			if err := t.needAdmin(); err != nil {
				return err // which undoes the deletion
			}
		}
		return t.record(now, AuditEvent{Actor: actor, Action: "account.delete", Target: UserActor(id), Detail: access.String()})
	})
}

// needAdmin returns ErrLastAdmin where no account is left that may administer.
func (t *tx) needAdmin() error {
	var admins int
	err := t.Scan([]any{&admins}, `
		SELECT COUNT(*) FROM accounts a JOIN users u ON u.id = a.user_id WHERE u.access = 'admin'`)
	if err == nil && admins == 0 {
		return ErrLastAdmin
	}
	return sqldb.Wrap("counting the admins", err)
}

// Credentials are what somebody signs in with.
type Credentials struct {
	Name, Password string
	KnownDevice    bool // a browser from which this account signed in before, which waits for no strangers
}

// SignIn begins a panel session for a name and password. ErrWrongPassword for
// an unknown name too, after the same time; ErrHashingCrowded where too many try at once.
func (s *Store) SignIn(ctx context.Context, now time.Time, in Credentials, from Origin) (LoginResult, error) {
	var user, hash string
	err := s.db.Scan(ctx, []any{&user, &hash}, `SELECT user_id, password_hash FROM accounts WHERE name = $1`,
		strings.ToLower(in.Name))
	if errors.Is(err, sql.ErrNoRows) {
		hash = unknownName
	} else if err != nil {
		return LoginResult{}, sqldb.Wrap("finding an account", err)
	}
	turn := strangers
	if in.KnownDevice {
		turn = known
	}
	same, err := turn.verifyPassword(ctx, in.Password, hash)
	if err == nil && (!same || user == "") {
		err = ErrWrongPassword
	}
	if err != nil {
		return LoginResult{}, err
	}
	return s.signIn(ctx, now, user, hash, from)
}

// SignInAs begins a panel session for an account without a password, for
// somebody who proved otherwise that they may. ErrNotFound for an unknown id.
func (s *Store) SignInAs(ctx context.Context, now time.Time, user string, from Origin) (LoginResult, error) {
	var hash string
	err := s.db.Scan(ctx, []any{&hash}, `SELECT password_hash FROM accounts WHERE user_id = $1`, user)
	if err != nil {
		return LoginResult{}, sqldb.Wrap("finding an account", err)
	}
	return s.signIn(ctx, now, user, hash, from)
}

// signIn begins the session unless the password has changed since hash was read.
func (s *Store) signIn(ctx context.Context, now time.Time, user, hash string, from Origin) (LoginResult, error) {
	result := LoginResult{Token: newSecret(sessionPrefix), Created: true}
	in := Login{User: UserInput{ID: user}, Origin: from}
	err := s.write(ctx, func(t *tx) (err error) {
		var same bool
		err = t.Scan([]any{&same}, `SELECT EXISTS (SELECT 1 FROM accounts WHERE user_id = $1 AND password_hash = $2)`, user, hash)
		if err == nil && !same {
			return ErrWrongPassword
		}
		if err != nil {
			return sqldb.Wrap("checking an account", err)
		}
		if err = s.foldUser(t.Tx, user); err != nil {
			return err
		}
		result.Session, err = s.begin(t, s.at(now), By{App: presence.PanelApp, Grant: AccessAdmin}, in, s.tokenRef(result.Token), nil)
		if err != nil {
			return err
		}
		return t.record(now, AuditEvent{Actor: UserActor(user), Action: "panel.sign_in"})
	})
	if err != nil {
		return LoginResult{}, fmt.Errorf("signing in: %w", err)
	}
	return result, nil
}

// RecordFailure notes that somebody tried in vain to sign in to the account of
// that name. One entry an hour tells that it is going on, and only one for all
// names that no account has: what strangers type is not kept. It takes longer
// where it writes, so whoever tried must not wait for it.
func (s *Store) RecordFailure(ctx context.Context, now time.Time, name string) error {
	d := AuditEvent{Actor: ActorUnknown, Action: "panel.sign_in_failed", Detail: "no such account"}
	var user string
	err := s.db.Scan(ctx, []any{&user}, `SELECT user_id FROM accounts WHERE name = $1`, strings.ToLower(name))
	switch {
	case err == nil:
		d.Target, d.Detail = UserActor(user), ""
	case !errors.Is(err, sql.ErrNoRows):
		return sqldb.Wrap("finding an account", err)
	}
	return s.RecordOncePerHour(ctx, now, d)
}
