package server

import (
	"net/http"

	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
)

type keyAnswer struct {
	ID        string       `json:"id"`
	App       string       `json:"app"`
	Scopes    store.Scopes `json:"scopes"`
	CreatedAt string       `json:"created_at"`
	Secret    string       `json:"secret,omitempty"` // only when it has just been made
}

func answerKey(k store.Key, secret string) keyAnswer {
	return keyAnswer{ID: formatID(k.ID), App: k.App, Scopes: k.Scopes, CreatedAt: timestamp(k.CreatedAt), Secret: secret}
}

type keysAnswer struct {
	success
	Keys []keyAnswer `json:"keys"`
}

func (s *Server) keys(r *http.Request) (any, error) {
	keys, err := s.store.Keys(r.Context())
	answer := &keysAnswer{Keys: []keyAnswer{}}
	for _, key := range keys {
		answer.Keys = append(answer.Keys, answerKey(key, ""))
	}
	return answer, err
}

type createKeyAnswer struct {
	success
	Key keyAnswer `json:"key"`
}

func (s *Server) createKey(r *http.Request) (any, error) {
	var in struct {
		App    string   `json:"app"`
		Scopes []string `json:"scopes"`
	}
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	scopes, err := store.ParseScopes(in.Scopes)
	if err != nil {
		return nil, err
	}
	key, secret, err := s.store.CreateKey(r.Context(), s.now(), auth.CallerOf(r).Actor(), in.App, scopes)
	if err != nil {
		return nil, err
	}
	return web.Reply{Status: http.StatusCreated, Body: &createKeyAnswer{Key: answerKey(key, secret)}}, nil
}

func (s *Server) deleteKey(r *http.Request) (any, error) {
	id, ok := web.PathID(r)
	if !ok {
		return nil, store.ErrNotFound
	}
	return &success{}, s.store.DeleteKey(r.Context(), s.now(), auth.CallerOf(r).Actor(), id)
}
