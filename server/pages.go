package server

import (
	_ "embed"
	"errors"
	"net/http"

	"rollcall/server/auth"
)

//go:embed openapi.yaml
var openAPI []byte

// A guard sends a visitor to another page first, or returns "" to let them in.
type guard func(r *http.Request) (elsewhere string, err error)

// page is one of our own pages behind its guard. Addresses are relative, because
// a proxy may serve us below a path that we do not see.
func (s *Server) page(name string, g guard) http.Handler {
	page := s.assets.Page("pages/" + name)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere, err := g(r)
		switch {
		case err != nil:
			s.respond.Fail(w, r, err)
		case elsewhere != "":
			w.Header().Set("Location", elsewhere)
			w.WriteHeader(http.StatusSeeOther)
		default:
			page.ServeHTTP(w, r)
		}
	})
}

func (s *Server) needsNothing(*http.Request) (string, error) { return "", nil }

func (s *Server) needsAccounts(r *http.Request) (string, error) {
	exists, err := s.store.HasAccounts(r.Context())
	return elsewhereUnless(exists, "setup"), err
}

func (s *Server) needsNoAccounts(r *http.Request) (string, error) {
	exists, err := s.store.HasAccounts(r.Context())
	return elsewhereUnless(!exists, "./"), err
}

// needsSignIn lets in who may see the list. A visitor who may not is not told
// so by an error but asked to sign in.
func (s *Server) needsSignIn(r *http.Request) (string, error) {
	if elsewhere, err := s.needsAccounts(r); err != nil || elsewhere != "" {
		return elsewhere, err
	}
	c, err := s.auth.Identify(r)
	if errors.Is(err, auth.Unauthenticated) {
		return "login", nil
	}
	return elsewhereUnless(c.May(auth.Viewers), "login"), err
}

func elsewhereUnless(ok bool, page string) string {
	if ok {
		return ""
	}
	return page
}
