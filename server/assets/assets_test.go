package assets

import (
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"rollcall/ui"
)

// ours are the files of this program.
func ours(t *testing.T) *Files {
	t.Helper()
	return load(t, ui.Static)
}

func load(t *testing.T, from fs.FS) *Files {
	t.Helper()
	files, err := Load(from)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// get is the answer to a request with these headers, each a name and a value.
func get(h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// pages are ours as they are sent, by name.
func pages(t *testing.T) map[string]string {
	t.Helper()
	names, err := fs.Glob(ui.Static, "pages/*/*.html")
	if err != nil || len(names) < 9 {
		t.Fatalf("the pages are %q, %v", names, err)
	}
	files, found := ours(t), map[string]string{}
	for _, name := range names {
		found[name] = get(files.Page(name), "/").Body.String()
	}
	return found
}

func TestEachPageOfThePanelHasTheBarWithItsOwnLinkMarked(t *testing.T) {
	found := 0
	for name, page := range pages(t) {
		if !strings.Contains(page, "data-sign-out hidden") {
			continue // where nobody is signed in
		}
		found++
		address := name[strings.LastIndex(name, "/")+1 : strings.LastIndex(name, ".")]
		if address == "now" {
			address = "./"
		}
		if !strings.Contains(page, `<a href="`+address+`" aria-current="page">`) || strings.Count(page, "aria-current") != 1 || !strings.Contains(page, `id="main"`) {
			t.Errorf("%s:\n%s", name, page)
		}
	}
	if found != 7 {
		t.Errorf("%d pages have the bar", found)
	}
}

func TestEachPageHasItsHead(t *testing.T) {
	for name, page := range pages(t) {
		for _, element := range []string{`<meta charset="utf-8">`, `<meta name="viewport"`, `rel="icon"`, `<title>`} {
			if strings.Count(page, element) != 1 {
				t.Errorf("%s has %s %d times", name, element, strings.Count(page, element))
			}
		}
	}
}

var loaded = regexp.MustCompile(`<(?:script|link|img)\b[^>]*?\s(?:src|href)="([^"]+)"`)

func TestWhatAPageLoadsIsOfItsVersionAndThere(t *testing.T) {
	files := ours(t)
	static := files.Static(http.NotFoundHandler())
	for name, page := range pages(t) {
		for _, match := range loaded.FindAllStringSubmatch(page, -1) {
			address := strings.TrimPrefix(match[1], "../")
			if script, version, _ := strings.Cut(address, "?"); script == "heartbeat.js" || script == "online-users-panel.js" {
				if sample := strings.Contains(name, "demo-app"); version != files.version && !sample {
					t.Errorf("%s loads %s of any version", name, match[1])
				}
				continue
			}
			got := get(static, "/"+address)
			if got.Code != 200 || got.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("%s loads %s: %d %v", name, match[1], got.Code, got.Header())
			}
		}
	}
}

func TestWhatAScriptForHostPagesLoadsIsOfItsVersionAndThere(t *testing.T) {
	files := ours(t)
	static := files.Static(http.NotFoundHandler())
	for script, parts := range map[string][]string{
		"heartbeat.js":          {"heartbeat-notices.js", "heartbeat-live.js", "heartbeat-renew.js", "heartbeat-status.js", "heartbeat-explain.js", "heartbeat-source.js"},
		"online-users-panel.js": {"online-users-panel-details.js"},
		"online-users-badge.js": nil,
	} {
		got := get(files.Script("built/"+script), "/"+script)
		if h := got.Header(); h.Get("Cache-Control") != "public, max-age=3600" || h.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %v", script, h)
		}
		text := got.Body.String()
		if all, ours := strings.Count(text, "static/"), strings.Count(text, files.Address("built/")); all != ours || ours == 0 && parts != nil {
			t.Errorf("%s loads something else: %s", script, text)
		}
		for _, part := range parts {
			address := files.Address("built/" + part)
			if !strings.Contains(text, part) {
				t.Errorf("%s does not load %s", script, part)
			}
			if h := get(static, "/"+address).Header(); h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %v", address, h)
			}
		}
	}
}

func TestAnyChangeOfAFileChangesAllAddresses(t *testing.T) {
	before := fstest.MapFS{"a.js": {Data: []byte("1")}, "b.js": {Data: []byte("2")}}
	files := load(t, before)
	if again := load(t, maps.Clone(before)); again.Address("a.js") != files.Address("a.js") {
		t.Error("the same files have other addresses")
	}
	for what, changed := range map[string]fstest.MapFS{
		"another content": {"a.js": {Data: []byte("1")}, "b.js": {Data: []byte("3")}},
		"another name":    {"a.js": {Data: []byte("1")}, "c.js": {Data: []byte("2")}},
		"one more":        {"a.js": {Data: []byte("1")}, "b.js": {Data: []byte("2")}, "c.js": {}},
		"one less":        {"a.js": {Data: []byte("1")}},
	} {
		other := load(t, changed)
		if other.Address("a.js") == files.Address("a.js") {
			t.Errorf("%s: the addresses are the same", what)
		}
		if got := get(other.Static(http.NotFoundHandler()), "/"+files.Address("a.js")); got.Code != 404 {
			t.Errorf("%s: the old address is answered with %d", what, got.Code)
		}
	}
}
