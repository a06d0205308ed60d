package assets

import (
	"html"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"rollcall/ui"
)

func TestTheDocumentationShowsEveryTextThatIsTried(t *testing.T) {
	page := html.UnescapeString(get(ours(t).Page("pages/docs/docs.html"), "/docs").Body.String())
	texts, err := fs.Glob(ui.Static, "pages/docs/proxy/*")
	if err != nil || len(texts) == 0 {
		t.Fatal(texts, err)
	}
	for _, name := range texts {
		text, err := fs.ReadFile(ui.Static, name)
		if err != nil || !strings.Contains(page, "<code>"+strings.TrimSpace(string(text))+"</code>") {
			t.Errorf("%s, %v, is not in /docs", name, err)
		}
	}
	if strings.Contains(page, "<!--") {
		t.Errorf("a place was left: %s", page)
	}
}

func TestAFileInAPage(t *testing.T) {
	files := fstest.MapFS{
		"base/nav.html": {Data: []byte("<a href=\"./\">Now</a>\n<a href=\"b\">B</a>\n")},
		"c/d.conf":      {Data: []byte("a < b && \"c\";\n")},
		"b/b.html":      {Data: []byte("<!-- nav -->\n<pre><!-- c/d.conf --></pre><!-- not a place --><a href=\"b\">")},
		"now/now.html":  {Data: []byte("<!-- nav -->")},
		"x.js":          {Data: []byte("// <!-- nav -->")},
	}
	loaded, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"b/b.html":     "<a href=\"./\">Now</a>\n<a href=\"b\" aria-current=\"page\">B</a>\n<pre>a &lt; b &amp;&amp; \"c\";</pre><!-- not a place --><a href=\"b\">",
		"now/now.html": "<a href=\"./\" aria-current=\"page\">Now</a>\n<a href=\"b\">B</a>",
		"x.js":         "// <!-- nav -->",
	} {
		if got := string(loaded.files[name]().content); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
	files["lost.html"] = &fstest.MapFile{Data: []byte("<!-- c/e.conf --><!-- nav -->")}
	if _, err := Load(files); err == nil || !strings.Contains(err.Error(), "c/e.conf") {
		t.Errorf("a place for a file that is not there: %v", err)
	}
}
