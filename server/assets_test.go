package server

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"rollcall/ui"
)

func TestEachPageOfThePanelHasTheBarWithItsOwnLinkMarked(t *testing.T) {
	loaded, err := loadAssets(ui.Static)
	if err != nil {
		t.Fatal(err)
	}
	pages, _ := fs.Glob(ui.Static, "*.html")
	found := 0
	for _, name := range pages {
		source, _ := fs.ReadFile(ui.Static, name)
		if !strings.Contains(string(source), "session.js") && !strings.Contains(string(source), "<!-- bar -->") {
			continue // where nobody is signed in
		}
		found++
		address := strings.TrimSuffix(name, path.Ext(name))
		if address == "index" {
			address = "./"
		}
		page := string(loaded[name]().content)
		if !strings.Contains(page, `<a href="`+address+`" aria-current="page">`) || strings.Count(page, "aria-current") != 1 || !strings.Contains(page, `id="main"`) {
			t.Errorf("%s:\n%s", name, page)
		}
	}
	if found < 2 {
		t.Errorf("%d pages have the bar", found)
	}
}

func TestEachPageHasItsHead(t *testing.T) {
	loaded, err := loadAssets(ui.Static)
	if err != nil {
		t.Fatal(err)
	}
	pages, _ := fs.Glob(ui.Static, "*.html")
	for _, name := range pages {
		page := string(loaded[name]().content)
		if !strings.Contains(page, "<html") {
			continue // a part of others
		}
		for _, element := range []string{`<meta charset="utf-8">`, `<meta name="viewport"`, `rel="icon"`, `<title>`} {
			if strings.Count(page, element) != 1 {
				t.Errorf("%s has %s %d times", name, element, strings.Count(page, element))
			}
		}
	}
}
