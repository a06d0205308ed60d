// Package assets has the pages and scripts as they are sent: put together from their parts, packed by gzip, and under
// addresses that change with their content. It knows files and their types; it does not know who may see a page.
package assets

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	askAgain = "no-cache"                            // each time, and be told that nothing has changed
	anHour   = "public, max-age=3600"                // for host pages, which load a script with every page of theirs
	forEver  = "public, max-age=31536000, immutable" // of an address that is for this content only
)

// Files are the pages and scripts of one version of the program, by name. Each is made when it is first asked for:
// packing all of them would be a good part of what a start takes.
type Files struct {
	version string
	files   map[string]func() file
}

// Load reads all files. What they are sent as is made of these at once, so that a file that is missing is an error here.
func Load(files fs.FS) (*Files, error) {
	sources, err := read(files)
	if err != nil {
		return nil, err
	}
	f := &Files{version: hash(sources), files: map[string]func() file{}}
	for name := range sources {
		content, err := f.assemble(sources, name)
		if err != nil {
			return nil, err
		}
		f.files[name] = sync.OnceValue(func() file { return newFile(name, content) })
	}
	return f, nil
}

func read(files fs.FS) (map[string][]byte, error) {
	sources := map[string][]byte{}
	return sources, fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		sources[name], err = fs.ReadFile(files, name)
		return err
	})
}

// Address is where Static serves a file, relative to the address of the pages: a proxy may serve them below a path
// that we do not see. It is another one in a version where any of the files is different: a script and what it imports
// are always of one version.
func (f *Files) Address(name string) string { return "static/" + f.version + "/" + name }

// Page serves a page.
func (f *Files) Page(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.files[name]().send(w, r, askAgain) })
}

// relativeAddress is where a page names an address of ours. All that it names are.
var relativeAddress = regexp.MustCompile(`( (?:href|src)=")(?:\./)?`)

// NotFound serves a page in place of those that do not exist, which may seem to be in a folder.
func (f *Files) NotFound(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := f.files[name]()
		up := strings.Repeat("../", strings.Count(r.URL.EscapedPath(), "/")-1)
		content := relativeAddress.ReplaceAll(page.content, []byte("${1}./"+up))
		w.Header().Set("Content-Type", page.kind)
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write(content) // a caller that is gone needs no answer
	})
}

// Script serves a script for host pages, which any origin may load from an address that stays.
func (f *Files) Script(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		forAnyOrigin(w.Header())
		f.files[name]().send(w, r, anHour)
	})
}

// Static serves the files that pages and scripts load, below the path /static/. Pages are not among them: they have
// addresses of their own. Files of other versions are missing.
func (f *Files) Static(missing http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/static/"), "/")
		if path.Dir(name) == forHosts {
			forAnyOrigin(w.Header()) // also where it is missing: else the page's console says that it was forbidden
		}
		file, ok := f.files[name]
		if !ok || r.URL.Path != "/"+f.Address(name) || path.Ext(name) == ".html" {
			missing.ServeHTTP(w, r)
			return
		}
		file().send(w, r, forEver)
	})
}

// Clients serves the files that an application drops in, below the path /clients/.
func (f *Files) Clients(missing http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := f.files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok || !strings.HasPrefix(r.URL.Path, "/clients/") {
			missing.ServeHTTP(w, r)
			return
		}
		file().send(w, r, askAgain)
	})
}

// forHosts is the folder of what host pages load.
const forHosts = "built"

func forAnyOrigin(h http.Header) {
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Access-Control-Allow-Origin", "*")
}

// Document serves a text that has an address of its own.
func Document(name string, content []byte) http.Handler {
	document := sync.OnceValue(func() file { return newFile(name, content) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { document().send(w, r, askAgain) })
}

// hash is of all names and contents.
func hash(sources map[string][]byte) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		fmt.Fprintf(sum, "%s %d\n%s", name, len(sources[name]), sources[name])
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
