package server

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"strings"
)

// packer packs one file after the other in the same memory: a writer of gzip
// takes more of it than all files together.
type packer struct{ w *gzip.Writer }

func newPacker() packer {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestCompression) // the level exists
	return packer{w}
}

// pack returns content as gzip has it, or nil where that is no shorter.
func (p packer) pack(content []byte) []byte {
	var packed bytes.Buffer
	p.w.Reset(&packed)
	_, _ = p.w.Write(content) // a buffer takes everything
	_ = p.w.Close()
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
