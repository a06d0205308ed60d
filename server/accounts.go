package server

import (
	"net/http"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
)

func (s *Server) accounts(r *http.Request) (any, error) {
	accounts, err := s.store.Accounts(r.Context())
	return api.Accounts{Accounts: api.AccountsOf(accounts)}, err
}

func (s *Server) createAccount(r *http.Request) (any, error) {
	var in api.AccountInput
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	account, err := s.store.CreateAccount(r.Context(), s.now(), auth.CallerOf(r).Actor(), store.AccountInput(in))
	if err != nil {
		return nil, err
	}
	return web.Reply{Status: http.StatusCreated, Body: api.CreatedAccount{Account: api.AccountOf(account)}}, nil
}

func (s *Server) deleteAccount(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	return api.Nothing{}, s.store.DeleteAccount(r.Context(), s.now(), auth.CallerOf(r).Actor(), id)
}
