package compress

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

var text = bytes.Repeat([]byte("somebody is online\n"), 1000)

// unpack reads as far as it can.
func unpack(t *testing.T, short []byte) ([]byte, error) {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(short))
	if err != nil {
		t.Fatal(err)
	}
	return io.ReadAll(r)
}

func TestWhatIsNoShorterIsLeftAsItIs(t *testing.T) {
	for name, compress := range map[string]func([]byte) []byte{"a file": File, "an answer": Answer} {
		if got, err := unpack(t, compress(text)); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s: other text of %d bytes, %v", name, len(got), err)
		}
		if got := compress([]byte("hello")); got != nil {
			t.Errorf("%s: a few bytes become %d", name, len(got))
		}
	}
}

func TestNoMoreThanSomeAnswersAreCompressedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int64
		all := newWriters(quickly)
		newWriter := all.idle.New
		all.idle.New = func() any { made.Add(1); return newWriter() }
		for range maxAtOnce {
			all.turns <- struct{}{}
		}
		var waiting sync.WaitGroup
		for range 100 {
			waiting.Go(func() { all.compress(text) })
		}
		synctest.Wait()
		if n := made.Load(); n != 0 {
			t.Errorf("%d writers more than may be", n)
		}
		for range maxAtOnce {
			<-all.turns
		}
		waiting.Wait()
	})
}

func TestOneStreamTooManyIsSentAsItIs(t *testing.T) {
	var open []*Stream
	for range maxAtOnce {
		open = append(open, NewStream(httptest.NewRecorder()))
	}
	if NewStream(httptest.NewRecorder()) != nil {
		t.Error("there is one more")
	}
	for _, stream := range open {
		stream.Release()
	}
	again := NewStream(httptest.NewRecorder())
	if again == nil {
		t.Fatal("there is none after the others have ended")
	}
	again.Release()
}

// TestWhatIsFlushedIsSent has the reader wait for a line before the next is written.
func TestWhatIsFlushedIsSent(t *testing.T) {
	read := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stream := NewStream(w)
		defer stream.Release()
		connection := http.NewResponseController(stream)
		for range 3 {
			_, _ = stream.Write([]byte("a line\n"))
			if err := connection.Flush(); err != nil {
				t.Error(err)
			}
			select {
			case <-read:
			case <-r.Context().Done():
			}
		}
		_ = stream.Finish()
	}))
	defer web.Close()
	got, err := web.Client().Get(web.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	short, err := gzip.NewReader(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(short)
	for range 3 {
		if line, err := lines.ReadString('\n'); err != nil || line != "a line\n" {
			t.Fatalf("%q, %v", line, err)
		}
		read <- struct{}{}
	}
	if _, err := lines.ReadByte(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestAStreamThatIsNotFinishedIsCutShort(t *testing.T) {
	w := httptest.NewRecorder()
	stream := NewStream(w)
	_, _ = stream.Write(text)
	if err := stream.FlushError(); err != nil {
		t.Fatal(err)
	}
	stream.Release()
	if got, err := unpack(t, w.Body.Bytes()); !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(got, text) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// BenchmarkAnswer is of a list of about 200 people.
func BenchmarkAnswer(b *testing.B) {
	list := bytes.Repeat(text, 11)
	b.SetBytes(int64(len(list)))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			Answer(list)
		}
	})
}
