package server

import (
	"net/http"

	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
)

type accountAnswer struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Access    store.Access `json:"access"`
	CreatedAt string       `json:"created_at"`
}

func answerAccount(a store.Account) accountAnswer {
	return accountAnswer{ID: a.ID, Name: a.Name, Access: a.Access, CreatedAt: timestamp(a.CreatedAt)}
}

type accountsAnswer struct {
	success
	Accounts []accountAnswer `json:"accounts"`
}

func (s *Server) accounts(r *http.Request) (any, error) {
	accounts, err := s.store.Accounts(r.Context())
	answer := &accountsAnswer{Accounts: []accountAnswer{}}
	for _, account := range accounts {
		answer.Accounts = append(answer.Accounts, answerAccount(account))
	}
	return answer, err
}

type createAccountAnswer struct {
	success
	Account accountAnswer `json:"account"`
}

func (s *Server) createAccount(r *http.Request) (any, error) {
	var in struct {
		Name     string       `json:"name"`
		Password string       `json:"password"`
		Access   store.Access `json:"access"`
	}
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	account, err := s.store.CreateAccount(r.Context(), s.now(), auth.CallerOf(r).Actor(), store.AccountInput(in))
	if err != nil {
		return nil, err
	}
	return web.Reply{Status: http.StatusCreated, Body: &createAccountAnswer{Account: answerAccount(account)}}, nil
}

func (s *Server) deleteAccount(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	return &success{}, s.store.DeleteAccount(r.Context(), s.now(), auth.CallerOf(r).Actor(), id)
}
