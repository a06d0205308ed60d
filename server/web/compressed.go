package web

import (
	"net/http"

	"rollcall/server/compress"
)

// minCompressed is the least number of bytes that are compressed: fewer go in one packet either way.
const minCompressed = 1 << 10

// mayCompress is so for questions only. The length of what is compressed tells somebody who reads along, and who has
// chosen a part of it, what else is in it (BREACH). So an answer with a secret made for this caller, such as a key, a
// token or a code, is never compressed: no answer to a GET has one.
func mayCompress(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

// compressed returns text as the caller takes it, and says so in the headers of the answer.
func compressed(h http.Header, r *http.Request, text []byte) []byte {
	h.Add("Vary", "Accept-Encoding")
	if !compress.Wanted(r) {
		return text
	}
	short := compress.Answer(text)
	if short == nil {
		return text
	}
	h.Set("Content-Encoding", "gzip")
	return short
}

// writeFile compresses a file on its way where that may be. For HEAD nothing is written: of a few bytes net/http
// would say that they are all.
func writeFile(w http.ResponseWriter, r *http.Request, file Download) error {
	h := w.Header()
	if mayCompress(r) {
		h.Add("Vary", "Accept-Encoding")
	}
	var stream *compress.Stream
	if mayCompress(r) && compress.Wanted(r) {
		if stream = compress.NewStream(w); stream != nil {
			defer stream.Release()
			h.Set("Content-Encoding", "gzip")
		}
	}
	switch {
	case r.Method == http.MethodHead:
		return nil
	case stream == nil:
		return file.Write(w)
	}
	if err := file.Write(stream); err != nil {
		return err
	}
	return stream.Finish()
}
