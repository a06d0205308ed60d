package server

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// assets are the pages and scripts by name. Each is made when it is first asked for:
// packing all of them would be a good part of what a start takes.
type assets map[string]func() asset

// An asset is in memory as it is sent, with its entity tag: a browser asks again
// each time and is told that nothing has changed.
type asset struct {
	content []byte
	packed  []byte // by gzip; nil where that saves nothing
	tag     string // without its quotes
	kind    string
}

func newAsset(name string, source []byte) asset {
	content := strip(name, source)
	sum := sha256.Sum256(content)
	return asset{content: content, packed: pack(content), tag: hex.EncodeToString(sum[:12]), kind: kindOf(name)}
}

func loadAssets(files fs.FS) (assets, error) {
	a := assets{}
	return a, fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := assemble(files, name)
		a[name] = sync.OnceValue(func() asset { return newAsset(name, content) })
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
	case ".yaml":
		return "application/yaml"
	}
	return "text/plain; charset=utf-8"
}

// write answers with the whole file: none is so large that a part would do.
func (a asset) write(w http.ResponseWriter, r *http.Request, cache string) {
	h := w.Header()
	h.Set("Cache-Control", cache)
	if a.kind != "" {
		h.Set("Content-Type", a.kind)
	}
	content, tag := a.content, a.tag
	if a.packed != nil {
		h.Add("Vary", "Accept-Encoding")
		if takesGzip(r.Header.Values("Accept-Encoding")) {
			content, tag = a.packed, a.tag+"-gzip"
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(content))) // ServeContent leaves it out of encoded answers
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	r.Header.Del("Range")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// script is a file for host pages: any origin may load it.
func (s *Server) script(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		s.assets[name]().write(w, r, "public, max-age=3600")
	})
}

// folder serves the files that our own pages load. The pages themselves are not
// among them: they have addresses of their own.
func (s *Server) folder(prefix string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, prefix)
		file, ok := s.assets[name]
		if !ok || path.Ext(name) == ".html" {
			s.fail(w, r, errNothingHere)
			return
		}
		file().write(w, r, "no-cache")
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
			s.assets[name]().write(w, r, "no-cache")
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

func serveOpenAPI() http.Handler {
	document := sync.OnceValue(func() asset { return newAsset("openapi.yaml", openAPI) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { document().write(w, r, "no-cache") })
}
