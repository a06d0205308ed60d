package server

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// assets are the pages and scripts, in memory with their entity tags: a browser
// asks again each time and is told that nothing has changed.
type assets struct {
	by map[string]asset // name -> content
}

type asset struct {
	content []byte
	tag     string
	kind    string
}

func loadAssets(files fs.FS) (*assets, error) {
	a := &assets{by: map[string]asset{}}
	return a, fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		sum := sha256.Sum256(content)
		a.by[name] = asset{content: content, tag: `"` + hex.EncodeToString(sum[:12]) + `"`, kind: kindOf(name)}
		return err
	})
}

// kindOf does not ask the machine, whose table of types may say anything.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func (a *assets) write(w http.ResponseWriter, r *http.Request, name, cache string) {
	found, ok := a.by[name]
	if !ok {
		http.Error(w, "There is nothing here", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", cache)
	h.Set("ETag", found.tag)
	if found.kind != "" {
		h.Set("Content-Type", found.kind)
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(found.content))
}

// script is a file for host pages: any origin may load it.
func (a *assets) script(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		a.write(w, r, name, "public, max-age=3600")
	})
}

// folder serves the files that our own pages load. The pages themselves are not
// among them: they have addresses of their own.
func (a *assets) folder(prefix string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, prefix)
		if path.Ext(name) == ".html" {
			name = ""
		}
		a.write(w, r, name, "no-cache")
	})
}

// A guard sends a visitor to another page first, or returns "" to let them in.
type guard func(r *http.Request) (elsewhere string, err error)

// page is one of our own pages behind its guard. Addresses are relative, because
// a proxy may serve us below a path that we do not see.
func (s *Server) page(name string, g guard) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere, err := g(r)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case elsewhere != "":
			w.Header().Set("Location", elsewhere)
			w.WriteHeader(http.StatusSeeOther)
		default:
			s.assets.write(w, r, name, "no-cache")
		}
	})
}

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
	c, err := s.identify(r)
	if errors.Is(err, errUnauthenticated) {
		return "login", nil
	}
	return elsewhereUnless(c.may(viewers), "login"), err
}

func elsewhereUnless(ok bool, page string) string {
	if ok {
		return ""
	}
	return page
}

//go:embed openapi.yaml
var openAPI []byte

func serveOpenAPI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	http.ServeContent(w, r, "openapi.yaml", time.Time{}, bytes.NewReader(openAPI))
}
