package server

import (
	_ "embed"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"rollcall/server/auth"
	"rollcall/server/web"
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

// deepest is how many folders an address may seem to be in that a person has mistyped.
const deepest = 20

// nothingHere answers at an address that nobody knows: with a page to a person at a browser, and with JSON to programs.
func (s *Server) nothingHere() http.Handler {
	page, refuse := s.assets.NotFound("pages/not-found/not-found.html"), s.respond.Always(web.NothingHere)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept")
		if !wantsPage(r) {
			refuse.ServeHTTP(w, r)
			return
		}
		s.respond.Refused(web.NothingHere.Code)
		page.ServeHTTP(w, r)
	})
}

// wantsPage tells of a request for an unknown address whether a person reads the answer.
func wantsPage(r *http.Request) bool {
	for _, program := range []string{"/admin/", "/auth/", "/static/", "/clients/"} {
		if strings.HasPrefix(r.URL.Path, program) {
			return false
		}
	}
	asks := r.Method == http.MethodGet || r.Method == http.MethodHead
	return asks && strings.Contains(r.Header.Get("Accept"), "text/html") && strings.Count(r.URL.EscapedPath(), "/") <= deepest
}

func (s *Server) needsNothing(*http.Request) (string, error) { return "", nil }

func (s *Server) needsAccounts(r *http.Request) (string, error) {
	exists, err := s.store.HasAccounts(r.Context())
	return elsewhereUnless(exists, "setup"), err
}

// needsNoSignIn is the guard of the page to sign in: whoever is signed in goes on to where
// they wanted to, but for those whom the proxy in front signs in, who may have an account for more.
func (s *Server) needsNoSignIn(r *http.Request) (string, error) {
	if elsewhere, err := s.needsAccounts(r); err != nil || elsewhere != "" {
		return elsewhere, err
	}
	in, proxied, err := s.mayLook(r)
	return elsewhereUnless(!in || proxied, nextOf(r)), err
}

// onePage is the address of one of our own pages, as next names it: relative, so that it can
// not lead to another server.
var onePage = regexp.MustCompile(`^[a-z]*(\?.*)?$`)

// nextOf is the page that a visitor of the page to sign in wanted.
func nextOf(r *http.Request) string {
	next := r.URL.Query().Get("next")
	if next == "" || !onePage.MatchString(next) || strings.HasPrefix(next, "login") {
		return "./"
	}
	return "./" + next
}

// login is the page to sign in, which leads back to the page of r.
func login(r *http.Request) string {
	next := strings.TrimPrefix(r.URL.Path, "/")
	query := r.URL.Query()
	query.Del("token") // which no page of ours takes, and which is not to be in one more address
	if len(query) > 0 {
		next += "?" + query.Encode()
	}
	if next == "" {
		return "login"
	}
	return "login?next=" + url.QueryEscape(next)
}

func (s *Server) needsNoAccounts(r *http.Request) (string, error) {
	exists, err := s.store.HasAccounts(r.Context())
	return elsewhereUnless(!exists, "./"), err
}

// needsSignIn lets in who may see the list. A visitor who may not is not told
// so by an error but asked to sign in.
func (s *Server) needsSignIn(r *http.Request) (string, error) {
	in, proxied, err := s.mayLook(r)
	if err != nil || proxied { // who needs no account
		return "", err
	}
	if elsewhere, err := s.needsAccounts(r); err != nil || elsewhere != "" {
		return elsewhere, err
	}
	return elsewhereUnless(in, login(r)), nil
}

// mayLook tells whether a visitor may see the list, and whether they may because the proxy in front says who they are.
func (s *Server) mayLook(r *http.Request) (may, proxied bool, err error) {
	c, err := s.auth.Identify(r)
	if errors.Is(err, auth.Unauthenticated) {
		return false, false, nil
	}
	may = c.May(auth.Viewers)
	return may, may && c.Proxied(), err
}

func elsewhereUnless(ok bool, page string) string {
	if ok {
		return ""
	}
	return page
}
