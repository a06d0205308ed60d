package assets

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"strings"
	"sync"
)

// packers are writers of gzip, each of which takes more memory than all files together.
var packers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestCompression) // the level exists
	return w
}}

// pack returns content as gzip has it, or nil where that is no shorter.
func pack(content []byte) []byte {
	w := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	var packed bytes.Buffer
	w.Reset(&packed)
	_, _ = w.Write(content) // a buffer takes everything
	_ = w.Close()
	if packed.Len() >= len(content) {
		return nil
	}
	return bytes.Clone(packed.Bytes())
}

// takesGzip reports whether a request's Accept-Encoding headers want gzip at
// least as much as the plain file. What can not be read is not wanted.
func takesGzip(headers []string) bool {
	wanted := map[string]float64{}
	for _, part := range strings.Split(strings.Join(headers, ","), ",") {
		coding, parameter, weighed := strings.Cut(part, ";")
		quality := 1.0
		if weighed {
			name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || !strings.EqualFold(name, "q") {
				q = 0
			}
			quality = q
		}
		wanted[strings.ToLower(strings.TrimSpace(coding))] = quality
	}
	gzip, named := wanted["gzip"]
	if !named {
		gzip = wanted["*"]
	}
	return gzip > 0 && gzip >= wanted["identity"]
}
