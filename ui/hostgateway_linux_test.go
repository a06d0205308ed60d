package ui_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// gateway is the address at which an application and its pages know Rollcall. What answers there can change.
type gateway struct {
	url string

	mu     sync.Mutex
	answer http.Handler
	asked  []string // what the application asked: method and path
}

func newGateway(t *testing.T) *gateway {
	g := &gateway{answer: http.HandlerFunc(refuse)}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	answer := g.answer
	if ofBackend(r) {
		g.asked = append(g.asked, r.Method+" "+r.URL.Path)
	}
	g.mu.Unlock()
	answer.ServeHTTP(w, r)
}

// ofBackend tells the application's requests from those of its pages.
func ofBackend(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "Bearer rck_")
}

// becomes has something else answer from now on.
func (g *gateway) becomes(answer http.Handler) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answer = answer
}

// forget begins to count anew what the application asks.
func (g *gateway) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = nil
}

func (g *gateway) questions(of string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, asked := range g.asked {
		if strings.HasPrefix(asked, of) {
			n++
		}
	}
	return n
}

// refuse closes the connection without an answer.
func refuse(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		conn.Close()
	}
}

// broken are ways in which a server may fail to answer an application, by what is wrong.
var broken = map[string]http.HandlerFunc{
	"closes the connection": refuse,
	"does not answer":       func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"answers a byte at a time": func(w http.ResponseWriter, r *http.Request) {
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			_, _ = w.Write([]byte(" "))
			w.(http.Flusher).Flush()
			select {
			case <-tick.C:
			case <-r.Context().Done():
				tick.Stop()
				return
			}
		}
	},
	"answers with a page":          answers(http.StatusOK, "text/html", "<!doctype html><p>Welcome"),
	"answers with an empty object": answers(http.StatusOK, "application/json", "{}"),
	"answers null":                 answers(http.StatusOK, "application/json", "null"),
	"answers 500":                  answers(http.StatusInternalServerError, "text/plain", "oops"),
	"answers 503 with a page":      answers(http.StatusServiceUnavailable, "text/html", "<!doctype html><p>Sorry"),
}

func answers(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// toBackends answers an application in some way, and its pages not at all.
func toBackends(answer http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ofBackend(r) {
			_, _ = io.Copy(io.Discard, r.Body) // else it is not noticed that the caller hangs up
			answer.ServeHTTP(w, r)
		} else {
			refuse(w, r)
		}
	})
}

// entrance is a proxy in front of an application, as the visitors of a life find it. It sees what they ask for.
type entrance struct {
	url string

	mu     sync.Mutex
	head   string    // goes into each page's head
	body   string    // attributes of each page's body
	policy string    // the content security policy
	late   *lateness // of answers with a token; nil: they are not late
	visits []visit
}

// visit is a request to an application.
type visit struct {
	method, path string
	status       int
	page         bool // it was answered with a page
	took         time.Duration
	cache        string // Cache-Control of the answer
}

// clientAddress is what the proxy says where everybody connects from; what the visitor says of that is before it.
const clientAddress, forgedAddress = "203.0.113.7", "198.51.100.9"

// newEntrance forwards from an address of this machine. In modules are the scripts that npm installed.
func newEntrance(t *testing.T, to, from, modules string) *entrance {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	e := &entrance{}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	forward := &httputil.ReverseProxy{
		Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		}},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.Out.Header.Set("X-Forwarded-For", forgedAddress+", "+clientAddress)
			r.Out.Header.Set("X-Forwarded-Proto", "http")
			r.Out.Header.Del("Accept-Encoding") // pages are changed on the way
		},
		ModifyResponse: e.change,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/favicon.ico":
			w.WriteHeader(http.StatusNoContent)
			return
		case "/assets/htmx.js":
			http.ServeFile(w, r, filepath.Join(modules, "htmx.org/dist/htmx.min.js"))
			return
		case "/assets/turbo.js":
			http.ServeFile(w, r, filepath.Join(modules, "@hotwired/turbo/dist/turbo.es2017-umd.js"))
			return
		}
		forward.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), arrived{}, time.Now())))
	}))
	t.Cleanup(server.Close)
	e.url = server.URL
	return e
}

type arrived struct{}

// change notes an answer, and adds to it what a life wants in each page.
func (e *entrance) change(res *http.Response) error {
	e.await(res)
	e.mu.Lock()
	defer e.mu.Unlock()
	v := visit{method: res.Request.Method, path: res.Request.URL.Path, status: res.StatusCode, cache: res.Header.Get("Cache-Control"),
		page: strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") && res.StatusCode == http.StatusOK}
	if since, ok := res.Request.Context().Value(arrived{}).(time.Time); ok {
		v.took = time.Since(since)
	}
	e.visits = append(e.visits, v)
	if !v.page {
		return nil
	}
	text, err := io.ReadAll(res.Body)
	res.Body.Close()
	text = bytes.Replace(text, []byte("</head>"), []byte(e.head+"</head>"), 1)
	text = bytes.Replace(text, []byte("<body>"), []byte("<body "+e.body+">"), 1)
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	res.Header.Set("Content-Length", strconv.Itoa(len(text)))
	res.Header.Set("Content-Security-Policy", e.policy)
	return err
}

// await holds an answer with a token back, with all its cookies.
func (e *entrance) await(res *http.Response) {
	e.mu.Lock()
	late := e.late
	e.mu.Unlock()
	if late == nil || res.Request.URL.Path != "/rollcall/token" {
		return
	}
	late.reached <- struct{}{}
	select {
	case <-late.over:
	case <-res.Request.Context().Done():
	}
}

// lateness is told of each answer that is held back until it is over.
type lateness struct {
	reached chan struct{}
	over    chan struct{} // to be closed
}

// forget begins to count anew.
func (e *entrance) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.visits = nil
}

// made lists the visits of a kind.
func (e *entrance) made(kind func(visit) bool) (found []visit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, v := range e.visits {
		if kind(v) {
			found = append(found, v)
		}
	}
	return found
}

func ofTokens(v visit) bool { return v.path == "/rollcall/token" }
func ofPages(v visit) bool  { return v.page }

// forward has a Rollcall answer, at its own address.
func (g *gateway) forward(target *url.URL) {
	g.becomes(&httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, _ error) { refuse(w, r) },
	})
}
