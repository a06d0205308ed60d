package server

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/mux"
	"go.uber.org/goleak"

	"rollcall/server/auth"
	"rollcall/store/storetest"
)

// document is openapi.yaml. Every request that a test sends is held against it.
var document = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err == nil {
		err = doc.Validate(context.Background())
	}
	return doc, err
})

// answered collects which of the answers in the document tests have seen.
var answered sync.Map // "GET /path 200"

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && runsEverything() {
		for _, complain := range []func() error{unseenAnswers, func() error { return goleak.Find() }} {
			if err := complain(); err != nil {
				fmt.Println(err)
				code = 1
			}
		}
	}
	os.Exit(code)
}

func runsEverything() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return true
}

// unseenAnswers complains of what is in the document and no test has seen.
func unseenAnswers() error {
	doc, err := document()
	if err != nil {
		return err
	}
	var missing []string
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				answer := method + " " + path + " " + status
				if _, ok := answered.Load(answer); !ok && status != "500" { // which is for what nobody foresaw
					missing = append(missing, answer)
				}
			}
		}
	}
	if missing == nil {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("in openapi.yaml, but no test has seen such an answer:\n\t%s", strings.Join(missing, "\n\t"))
}

// documented is the path of a route as the document writes it.
func documented(path string) string { return strings.ReplaceAll(path, ":.+}", "}") }

func TestEveryRouteIsInTheDocumentAndNothingElse(t *testing.T) {
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	routes, operations := map[string]auth.Audience{}, map[string]auth.Audience{}
	for _, route := range (&Server{}).routes() {
		routes[route.method+" "+documented(route.path)] = route.who
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			who, _ := operation.Extensions["x-who"].(string)
			operations[method+" "+path] = auth.Audience(who)
		}
	}
	if diff := cmp.Diff(routes, operations); diff != "" {
		t.Errorf("routes (-) and document (+):\n%s", diff)
	}
}

func TestTheDocumentNamesTheCredentialsThatEachRouteTakes(t *testing.T) {
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	want := map[auth.Audience][]string{
		auth.Anyone: {}, auth.People: {"panelCookie", "sessionToken"}, auth.Viewers: {"key", "panelCookie", "sessionToken"}, auth.ViewersAndBackends: {"key", "panelCookie", "sessionToken"},
		auth.Admins: {"key", "panelCookie", "sessionToken"}, auth.Backends: {"key"},
		auth.Claimants: {"key", "panelCookie", "sessionToken"},
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if path == "/admin/users/heartbeat" {
				continue // takes a token, but need not be given one by a header
			}
			got := []string{}
			for _, requirement := range *operation.Security {
				got = slices.AppendSeq(got, maps.Keys(requirement))
			}
			slices.Sort(got)
			who, _ := operation.Extensions["x-who"].(string)
			if diff := cmp.Diff(want[auth.Audience(who)], got); diff != "" {
				t.Errorf("%s %s:\n%s", method, path, diff)
			}
		}
	}
}

func TestTheServerServesTheDocument(t *testing.T) {
	b := newBench(t, storetest.New(t))
	if got := do(t, b, "GET", "/openapi.yaml", nil); got.Code != 200 || got.Body.String() != string(openAPI) {
		t.Fatalf("got %d and %d bytes", got.Code, got.Body.Len())
	}
}

func TestAnAnswerThatIsNotInTheDocumentIsNoticed(t *testing.T) {
	for name, change := range map[string]struct{ status, body string }{
		"an undocumented status":   {"418", `{"success":true,"timestamp":"2026-03-02T09:30:00.000Z"}`},
		"a field too many":         {"200", `{"success":true,"timestamp":"2026-03-02T09:30:00.000Z","extra":1}`},
		"a missing field":          {"200", `{"success":true}`},
		"a time in another format": {"200", `{"success":true,"timestamp":"2026-03-02T09:30:00Z"}`},
		"a failure with status ok": {"200", `{"success":false,"timestamp":"2026-03-02T09:30:00.000Z"}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			w.Header().Set("Content-Type", "application/json")
			fmt.Sscan(change.status, &w.Code)
			w.Body.WriteString(change.body)
			if err := disagreement(httptest.NewRequest("GET", "/healthz", nil), nil, w); err == nil {
				t.Error("nothing was noticed")
			}
		})
	}
}

// inDocument fails the test where a request and its answer are not as the
// document has them.
func (b *bench) inDocument(t testing.TB, r *http.Request, body []byte, w *httptest.ResponseRecorder) {
	t.Helper()
	path, inside := strings.CutPrefix(r.URL.Path, b.cfg.BasePath)
	for prefix := range b.cfg.Mount {
		inside = inside && !strings.HasPrefix(path, prefix)
	}
	if !inside || path == "" {
		return
	}
	if err := disagreement(below(r, b.cfg.BasePath), body, w); err != nil {
		t.Errorf("%s %s and openapi.yaml: %v", r.Method, r.URL.Path, err)
	}
}

// below is r as the router sees it.
func below(r *http.Request, base string) *http.Request {
	var inside *http.Request
	keep := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = r })
	http.StripPrefix(base, keep).ServeHTTP(nil, r)
	return inside.Clone(inside.Context())
}

// disagreement returns how an answer differs from the document. A request that
// was accepted must be as documented, too.
func disagreement(r *http.Request, body []byte, w *httptest.ResponseRecorder) error {
	doc, err := document()
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		r.Method = http.MethodGet
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	input, err := describedRequest(doc, r)
	if err != nil {
		return err
	}
	if input == nil {
		return generalFailure(doc, w)
	}
	if input.Route.Operation.Responses.Status(w.Code) == nil {
		return fmt.Errorf("the status %d is not documented", w.Code)
	}
	answered.Store(fmt.Sprint(r.Method, " ", input.Route.Path, " ", w.Code), true)
	if w.Code < 300 {
		if err := acceptedRequest(input); err != nil {
			return err
		}
	}
	text, err := plain(w)
	if err != nil {
		return err
	}
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: w.Code, Header: w.Header(),
		Body: io.NopCloser(bytes.NewReader(text)), Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
}

// paths finds the route of a request as the server's router does.
var paths = sync.OnceValue(func() *mux.Router {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	for _, route := range (&Server{}).routes() {
		router.NewRoute().Path(route.path).Methods(route.method).Name(documented(route.path))
	}
	return router
})

// describedRequest returns r with its operation, or nil for none.
func describedRequest(doc *openapi3.T, r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	var match mux.RouteMatch
	if !paths().Match(r, &match) || match.MatchErr != nil {
		return nil, nil
	}
	path := match.Route.GetName()
	item := doc.Paths.Value(path)
	if item == nil || item.GetOperation(r.Method) == nil {
		return nil, fmt.Errorf("it is not documented")
	}
	return &openapi3filter.RequestValidationInput{
		Request: r, PathParams: match.Vars,
		Route:   &routers.Route{Spec: doc, Path: path, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true},
	}, nil
}

func acceptedRequest(input *openapi3filter.RequestValidationInput) error {
	query := input.Request.URL.Query()
	if !strings.HasPrefix(input.Route.Path, "/admin/") {
		clear(query) // pages and files may have any
	}
	for name, values := range query {
		if slices.Equal(values, []string{""}) {
			delete(query, name) // an empty filter is none
		}
		if input.Route.Operation.Parameters.GetByInAndName("query", name) == nil && input.Route.Operation.Extensions["x-other-parameters"] == nil {
			return fmt.Errorf("the server took the undocumented parameter %q", name)
		}
	}
	input.Request.URL.RawQuery = query.Encode()
	if err := openapi3filter.ValidateRequest(input.Request.Context(), input); err != nil {
		return fmt.Errorf("the server took a request that is not as documented: %w", err)
	}
	return nil
}

// generalFailure checks the answers that belong to no operation.
func generalFailure(doc *openapi3.T, w *httptest.ResponseRecorder) error {
	var body any
	switch w.Code {
	case http.StatusNoContent: // to a preflight
		return nil
	case http.StatusNotFound:
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") { // to a person
			return nil
		}
		fallthrough
	case http.StatusMethodNotAllowed, http.StatusMisdirectedRequest:
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			return err
		}
		return doc.Components.Schemas["Failure"].Value.VisitJSON(body)
	}
	return fmt.Errorf("the status %d is not documented for what is no operation", w.Code)
}
