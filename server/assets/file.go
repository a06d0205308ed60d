package assets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"time"

	"rollcall/server/compress"
)

// A file is in memory as it is sent, with its entity tag.
type file struct {
	content []byte
	packed  []byte // by gzip; nil where that saves nothing
	tag     string // without its quotes
	kind    string
}

func newFile(name string, content []byte) file {
	sum := sha256.Sum256(content)
	return file{content: content, packed: compress.File(content), tag: hex.EncodeToString(sum[:12]), kind: kindOf(name)}
}

// kindOf does not ask the machine, whose table of types may say anything.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
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

// send answers with the whole file: none is so large that a part would do.
func (f file) send(w http.ResponseWriter, r *http.Request, cache string) {
	h := w.Header()
	h.Set("Cache-Control", cache)
	h.Set("Content-Type", f.kind)
	content, tag := f.content, f.tag
	if f.packed != nil {
		h.Add("Vary", "Accept-Encoding")
		if compress.Wanted(r) {
			content, tag = f.packed, f.tag+"-gzip"
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(content))) // ServeContent leaves it out of encoded answers
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	r.Header.Del("Range")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}
