package server

import (
	"cmp"
	"errors"
	"net/http"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/sqldb"
)

func (s *Server) accounts(r *http.Request) (any, error) {
	accounts, err := s.store.Accounts(r.Context())
	return api.Accounts{Accounts: api.AccountsOf(accounts)}, err
}

// createAccount makes an account with a password, or without one and with a link by which it is chosen.
func (s *Server) createAccount(r *http.Request) (any, error) {
	var in api.AccountInput
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	var account store.Account
	var link store.AccountLink
	var err error
	answer, actor := api.CreatedAccount{}, auth.CallerOf(r).Actor()
	if in.Password == "" {
		account, link, err = s.store.Invite(r.Context(), s.now(), actor, store.AccountInput(in))
		answer.Link = new(api.AccountLinkOf(link))
	} else {
		account, err = s.store.CreateAccount(r.Context(), s.now(), actor, store.AccountInput(in))
	}
	if err != nil {
		return nil, err
	}
	answer.Account = api.AccountOf(account)
	return web.Reply{Status: http.StatusCreated, Body: answer}, nil
}

// linkAccount makes a link by which whoever has the account chooses a password, in place of one that somebody else typed.
func (s *Server) linkAccount(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	link, err := s.store.NewLink(r.Context(), s.now(), auth.CallerOf(r).Actor(), id)
	return web.Reply{Status: http.StatusCreated, Body: api.CreatedLink{Link: api.AccountLinkOf(link)}}, notForOneself(err)
}

func (s *Server) withdrawLink(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	return api.Nothing{}, s.store.WithdrawLink(r.Context(), s.now(), auth.CallerOf(r).Actor(), id)
}

// resetTOTP removes the authenticator app of somebody who lost it.
func (s *Server) resetTOTP(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	return api.Nothing{}, notForOneself(s.store.ResetTOTP(r.Context(), s.now(), auth.CallerOf(r).Actor(), id))
}

// notForOneself says why somebody may not do to their own account what they may do to others'.
func notForOneself(err error) error {
	if errors.Is(err, store.ErrForbidden) {
		return &web.Problem{Status: http.StatusForbidden, Code: "forbidden", Words: "Your own account is changed on the page Account, which asks for the password"}
	}
	return err
}

func (s *Server) deleteAccount(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	return api.Nothing{}, s.store.DeleteAccount(r.Context(), s.now(), auth.CallerOf(r).Actor(), id)
}

func (s *Server) keys(r *http.Request) (any, error) {
	keys, err := s.store.Keys(r.Context())
	return api.Keys{Keys: api.KeysOf(keys)}, err
}

func (s *Server) createKey(r *http.Request) (any, error) {
	var in api.KeyInput
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	scopes, err := store.ParseScopes(in.Scopes)
	if err != nil {
		return nil, err
	}
	key, secret, err := s.store.CreateKey(r.Context(), s.now(), auth.CallerOf(r).Actor(), in.App, in.Directory, scopes)
	if err != nil {
		return nil, err
	}
	answer := api.CreatedKey{Key: api.KeyOf(key)}
	answer.Key.Secret = secret
	return web.Reply{Status: http.StatusCreated, Body: answer}, nil
}

func (s *Server) deleteKey(r *http.Request) (any, error) {
	q, err := web.Query(r.URL.RawQuery, "sessions", "dry_run")
	if err != nil {
		return nil, err
	}
	which := cmp.Or(q.Get("sessions"), "access")
	if which != "access" && which != "all" {
		return nil, web.Invalid("sessions must be access or all")
	}
	dryRun, err := web.Flag(q, "dry_run")
	if err != nil {
		return nil, err
	}
	id, ok := web.PathID(r)
	if !ok {
		return nil, sqldb.ErrNotFound
	}
	if dryRun {
		n, err := s.store.KeySessions(r.Context(), s.now(), id)
		if which == "access" {
			n.All = n.WithAccess
		}
		return api.DeletedKey{Sessions: n.All, DryRun: true}, err
	}
	ended, err := s.store.DeleteKey(r.Context(), s.now(), auth.CallerOf(r).Actor(), id, which == "all")
	return api.DeletedKey{Sessions: ended}, err
}
