package server

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// filePlace is a comment of one word, which stands for a file: `bar` for bar.html,
// and `proxy/nginx.conf` for that file as text.
var filePlace = regexp.MustCompile(`<!-- ([\w./-]+) -->`)

// asText writes text as markup, between elements only. Package html does no more
// here and adds 65 KB to the program.
var asText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// assemble returns a file with all files in it that it has a place for.
func assemble(files fs.FS, name string) ([]byte, error) {
	content, err := fs.ReadFile(files, name)
	if err != nil || path.Ext(name) != ".html" {
		return content, err
	}
	page := filePlace.ReplaceAllFunc(content, func(found []byte) []byte {
		part, missing := included(files, string(filePlace.FindSubmatch(found)[1]), name)
		if missing != nil {
			err = missing
		}
		return bytes.TrimSpace(part)
	})
	return page, err
}

// included returns a file as it stands in a page, where links to the page itself
// are marked.
func included(files fs.FS, part, page string) ([]byte, error) {
	if strings.Contains(part, "/") {
		text, err := fs.ReadFile(files, part)
		return []byte(asText.Replace(string(text))), err
	}
	markup, err := fs.ReadFile(files, part+".html")
	address := strings.TrimSuffix(page, ".html")
	if address == "index" {
		address = "./"
	}
	link := []byte(`<a href="` + address + `">`)
	return bytes.Replace(markup, link, []byte(`<a href="`+address+`" aria-current="page">`), 1), err
}
