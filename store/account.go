package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strings"
	"time"

	"rollcall/store/fold"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// Account is a person who signs in to the panel with a password.
type Account struct {
	ID            string // of the user
	Name          string
	Access        Access
	CreatedAt     time.Time
	HasPassword   bool      // else it waits for somebody to choose one by its link
	LinkExpiresAt time.Time // of the link by which its password can be chosen; zero: there is none
	HasTOTP       bool      // a sign-in asks for a code of an authenticator app
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
	return in, nil
}

// CreateAccount makes an account on behalf of actor; ErrNameTaken where the name
// is in use.
func (s *Store) CreateAccount(ctx context.Context, now time.Time, actor string, in AccountInput) (Account, error) {
	return s.createWithPassword(ctx, now, AuditEvent{Actor: actor}, in, func(*tx) error { return nil })
}

// CreateFirstAccount makes the first account, an admin; ErrAlreadySetUp where
// there is one. Of any number of simultaneous calls one succeeds.
func (s *Store) CreateFirstAccount(ctx context.Context, now time.Time, name, password string) (Account, error) {
	in := AccountInput{Name: name, Password: password, Access: AccessAdmin}
	event := AuditEvent{Actor: UserActor(AccountID(name)), Detail: "the first account"}
	return s.createWithPassword(ctx, now, event, in, func(t *tx) error {
		var accounts int
		err := t.Scan([]any{&accounts}, `SELECT COUNT(*) FROM accounts`)
		if err == nil && accounts > 0 {
			return ErrAlreadySetUp
		}
		return sqldb.Wrap("counting the accounts", err)
	})
}

func (s *Store) createWithPassword(ctx context.Context, now time.Time, event AuditEvent, in AccountInput, allowed func(*tx) error) (account Account, err error) {
	in, err = in.check()
	if err == nil {
		err = checkPassword(in.Password, in.Name)
	}
	if err != nil {
		return Account{}, err
	}
	hash, err := hashPassword(ctx, in.Password) // before the write: it takes long
	if err != nil {
		return Account{}, err
	}
	err = s.write(ctx, func(t *tx) (err error) {
		if err := allowed(t); err != nil {
			return err
		}
		account, err = t.createAccount(now, event, in, hash)
		return err
	})
	return account, err
}

// createAccount stores an account; the hash is "" where nobody has chosen a password yet.
func (t *tx) createAccount(now time.Time, event AuditEvent, in AccountInput, hash string) (Account, error) {
	account := Account{ID: AccountID(in.Name), Name: in.Name, Access: in.Access, CreatedAt: sqldb.Time(now.UnixMilli()), HasPassword: hash != ""}
	n, err := t.Exec(`
		INSERT INTO users (id, name, access, created_at, updated_at, folded) VALUES ($1, $2, $3, $4, $4, $5)
		ON CONFLICT (id) DO NOTHING`, account.ID, account.Name, account.Access, now.UnixMilli(), fold.User(account.Name, "", account.ID, "", ""))
	if err == nil && n == 0 {
		return Account{}, ErrNameTaken
	}
	if err != nil {
		return Account{}, sqldb.Wrap("storing an account's user", err)
	}
	_, err = t.Exec(`INSERT INTO accounts (user_id, name, password_hash, created_at) VALUES ($1, $2, $3, $4)`,
		account.ID, account.Name, hash, now.UnixMilli())
	if err != nil {
		return Account{}, sqldb.Wrap("storing an account", err)
	}
	event.Action, event.Target, event.Detail = "account.create", UserActor(account.ID), cmp.Or(event.Detail, account.Access.String())
	return account, t.record(now, event)
}

const selectAccount = `
	SELECT a.user_id, a.name, u.access, a.created_at, a.password_hash <> '', a.link_expires_at,
		EXISTS (SELECT 1 FROM totp WHERE user_id = a.user_id AND confirmed_at IS NOT NULL)
	FROM accounts a JOIN users u ON u.id = a.user_id`

// Accounts lists all accounts by name.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	rows, err := s.db.Rows(ctx, selectAccount+` ORDER BY a.name`)
	if err != nil {
		return nil, sqldb.Wrap("listing the accounts", err)
	}
	accounts, err := sqldb.Collect(rows, scanAccount)
	return accounts, sqldb.Wrap("listing the accounts", err)
}

func scanAccount(rows *sql.Rows) (a Account, err error) {
	var created int64
	var link *int64
	err = rows.Scan(&a.ID, &a.Name, &a.Access, &created, &a.HasPassword, &link, &a.HasTOTP)
	a.CreatedAt = sqldb.Time(created)
	if link != nil {
		a.LinkExpiresAt = sqldb.Time(*link)
	}
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
		return s.setPassword(t, now, AuditEvent{Actor: actor}, hash, 0, `name = $2`, strings.ToLower(name))
	})
}

// ChangePassword gives an account a new password because whoever has this session knows the current one, and ends
// its other sessions. ErrWrongPassword for another than the current one, ErrNotFound for somebody without an account.
func (s *Store) ChangePassword(ctx context.Context, now time.Time, user string, session int64, current, password string) error {
	s.settle(ctx, now)
	if err := checkPassword(password, strings.TrimPrefix(user, accountPrefix)); err != nil {
		return err
	}
	before, err := s.confirmPassword(ctx, user, current)
	if err != nil {
		return err
	}
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return err
	}
	err = s.write(ctx, func(t *tx) error {
		return s.setPassword(t, now, AuditEvent{Actor: UserActor(user)}, hash, session, `user_id = $2 AND password_hash = $3`, user, before)
	})
	if errors.Is(err, sqldb.ErrNotFound) { // changed meanwhile
		err = ErrWrongPassword
	}
	return err
}

// setPassword stores the hash of a new password in the account that the condition which names, whose parameters begin
// at $2. A link to choose it is void from then on. Its sessions end but for one; 0 for all of them.
func (s *Store) setPassword(t *tx, now time.Time, event AuditEvent, hash string, except int64, which string, args ...any) error {
	var user string
	err := t.Scan([]any{&user}, `
		UPDATE accounts SET password_hash = $1, `+noLink+` WHERE `+which+` RETURNING user_id`,
		append([]any{hash}, args...)...)
	if err != nil {
		return sqldb.Wrap("changing a password", err)
	}
	if _, err = t.end(s.at(now), Ending{Reason: presence.EndPasswordChanged}, `user_id = $6 AND id <> $7`, user, except); err != nil {
		return err
	}
	event.Action, event.Target = "account.password", UserActor(user)
	event.Actor = cmp.Or(event.Actor, event.Target)
	return t.record(now, event)
}

// confirmPassword returns the hash of an account's password, which somebody who is signed in repeats.
// ErrWrongPassword for another, ErrNotFound for somebody without an account.
func (s *Store) confirmPassword(ctx context.Context, user, password string) (hash string, err error) {
	err = s.db.Scan(ctx, []any{&hash}, `SELECT password_hash FROM accounts WHERE user_id = $1`, user)
	if err != nil {
		return "", sqldb.Wrap("finding an account", err)
	}
	same, err := known.verifyPassword(ctx, password, cmp.Or(hash, unknownName))
	if err == nil && (!same || hash == "") {
		err = ErrWrongPassword
	}
	return hash, err
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
		if err := t.voidLinksBy(UserActor(id)); err != nil {
			return err
		}
		return t.record(now, AuditEvent{Actor: actor, Action: "account.delete", Target: UserActor(id), Detail: access.String()})
	})
}

// needAdmin returns ErrLastAdmin where no account is left that may administer. Who is invited to does not count yet.
func (t *tx) needAdmin() error {
	var admins int
	err := t.Scan([]any{&admins}, `
		SELECT COUNT(*) FROM accounts a JOIN users u ON u.id = a.user_id WHERE u.access = 'admin' AND a.password_hash <> ''`)
	if err == nil && admins == 0 {
		return ErrLastAdmin
	}
	return sqldb.Wrap("counting the admins", err)
}
