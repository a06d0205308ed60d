package server

import (
	"html"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"rollcall/store/storetest"
	"rollcall/ui"
)

func TestTheDocumentationShowsEveryTextThatIsTried(t *testing.T) {
	b := newBench(t, storetest.New(t))
	page := html.UnescapeString(do(t, b, "GET", "/docs", nil).Body.String())
	texts, err := fs.ReadDir(ui.Static, "proxy")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range texts {
		text, err := fs.ReadFile(ui.Static, "proxy/"+entry.Name())
		if err != nil || !strings.Contains(page, "<code>"+strings.TrimSpace(string(text))+"</code>") {
			t.Errorf("%s, %v, is not in /docs", entry.Name(), err)
		}
	}
	if strings.Contains(page, "<!--") {
		t.Errorf("a place was left: %s", page)
	}
}

func TestAFileInAPage(t *testing.T) {
	files := fstest.MapFS{
		"bar.html":   {Data: []byte("<a href=\"./\">Now</a>\n<a href=\"b\">B</a>\n")},
		"c/d.conf":   {Data: []byte("a < b && \"c\";\n")},
		"b.html":     {Data: []byte("<!-- bar -->\n<pre><!-- c/d.conf --></pre><!-- not a place --><a href=\"b\">")},
		"index.html": {Data: []byte("<!-- bar -->")},
		"lost.html":  {Data: []byte("<!-- c/e.conf --><!-- bar -->")},
		"x.js":       {Data: []byte("// <!-- bar -->")},
	}
	for name, want := range map[string]string{
		"b.html":     "<a href=\"./\">Now</a>\n<a href=\"b\" aria-current=\"page\">B</a>\n<pre>a &lt; b &amp;&amp; \"c\";</pre><!-- not a place --><a href=\"b\">",
		"index.html": "<a href=\"./\" aria-current=\"page\">Now</a>\n<a href=\"b\">B</a>",
		"x.js":       "// <!-- bar -->",
	} {
		if got, err := assemble(files, name); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, want)
		}
	}
	if _, err := loadAssets(files); err == nil || !strings.Contains(err.Error(), "c/e.conf") {
		t.Errorf("a place for a file that is not there: %v", err)
	}
}
