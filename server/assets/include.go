package assets

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// filePlace is a comment of one word, which stands for a file: `nav` for base/nav.html,
// and `pages/docs/proxy/nginx.conf` for that file as text.
var filePlace = regexp.MustCompile(`<!-- ([\w./-]+) -->`)

// asText writes text as markup, between elements only. Package html does no more
// here and adds 65 KB to the program.
var asText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

var (
	staticAddress = regexp.MustCompile("([\"'`](?:\\.\\./)?)static/")
	scriptAddress = regexp.MustCompile(`(<script src="[\w-]+\.js)"`)
)

// assemble returns a file as it is sent. What has an address that stays gets the addresses of this version: pages, and
// the scripts for host pages. Pages also get the files that they have a place for, and load the scripts for host pages
// by addresses that a browser knows from no other version.
func (f *Files) assemble(sources map[string][]byte, name string) ([]byte, error) {
	content := sources[name]
	if path.Ext(name) == ".html" {
		var err error
		if content, err = withParts(sources, name); err != nil {
			return nil, err
		}
		content = scriptAddress.ReplaceAll(content, []byte(`${1}?`+f.version+`"`))
	} else if path.Dir(name) != forHosts {
		return content, nil
	}
	return staticAddress.ReplaceAll(content, []byte("${1}"+f.Address(""))), nil
}

// withParts returns a page with all files in it that it has a place for.
func withParts(sources map[string][]byte, name string) (page []byte, err error) {
	return filePlace.ReplaceAllFunc(sources[name], func(found []byte) []byte {
		part, missing := included(sources, string(filePlace.FindSubmatch(found)[1]), name)
		if missing != nil {
			err = missing
		}
		return bytes.TrimSpace(part)
	}), err
}

// included returns a file as it stands in a page, where links to the page itself
// are marked.
func included(sources map[string][]byte, part, page string) ([]byte, error) {
	text := strings.Contains(part, "/")
	if !text {
		part = "base/" + part + ".html"
	}
	content, ok := sources[part]
	if !ok {
		return nil, fmt.Errorf("%s has a place for %s, which does not exist", page, part)
	}
	if text {
		return []byte(asText.Replace(string(content))), nil
	}
	address := strings.TrimSuffix(path.Base(page), ".html")
	if address == "now" {
		address = "./"
	}
	link := []byte(`<a href="` + address + `">`)
	return bytes.Replace(content, link, []byte(`<a href="`+address+`" aria-current="page">`), 1), nil
}
