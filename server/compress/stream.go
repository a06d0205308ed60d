package compress

import (
	"compress/gzip"
	"net/http"
)

// Stream is an answer of unknown length that is compressed on its way. Whoever writes it may flush it and set its
// deadlines by an [http.ResponseController].
type Stream struct {
	http.ResponseWriter
	gzip *gzip.Writer
}

// NewStream returns nil where as many are on their way as may: readers are slow, and nobody waits for those of
// others. Release must be called at the end.
func NewStream(w http.ResponseWriter) *Stream {
	select {
	case streams.turns <- struct{}{}:
		return &Stream{ResponseWriter: w, gzip: streams.get(w)}
	default:
		return nil
	}
}

// Unwrap lets deadlines reach the connection.
func (s *Stream) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *Stream) Write(text []byte) (int, error) { return s.gzip.Write(text) }

// FlushError sends all that was written.
func (s *Stream) FlushError() error {
	if err := s.gzip.Flush(); err != nil {
		return err
	}
	return http.NewResponseController(s.ResponseWriter).Flush()
}

// Finish ends the answer well. One that is released without it is seen to be cut short.
func (s *Stream) Finish() error { return s.gzip.Close() }

// Release lets somebody else have the memory.
func (s *Stream) Release() { streams.put(s.gzip) }
