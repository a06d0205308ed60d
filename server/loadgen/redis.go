package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

var errNoRedis = errors.New("-vs-redis needs redis-server in PATH (Debian: apt-get install redis-server)")

// serveRedis records who was there when in a sorted set of a Redis of our own,
// which has it on the disk before it answers.
func serveRedis(ctx context.Context) error {
	db, err := startRedis(ctx)
	if err != nil {
		return err
	}
	defer db.stop()
	words := "ZADD, appendfsync always, Redis " + db.version
	return serveBare(ctx, words, func(w http.ResponseWriter, r *http.Request) {
		now := strconv.FormatInt(time.Now().UnixMilli(), 10)
		if _, err := db.do("ZADD", "online", now, bearer(r)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		doNothing(w, r)
	})
}

// redisServer is a process of Redis and the one connection to it. As clients that
// are made for speed do, it sends what many callers ask in one piece.
type redisServer struct {
	version string
	run     *exec.Cmd
	folder  string
	conn    net.Conn
	asked   chan *redisCall
	sent    chan *redisCall
}

type redisCall struct {
	words  []string
	answer string
	err    error
	done   chan struct{}
}

const (
	redisStart = 10 * time.Second // how long it may take
	redisCalls = 4096             // that may be under way
)

func startRedis(ctx context.Context) (*redisServer, error) {
	folder, err := os.MkdirTemp("", "rollcall-redis-")
	if err != nil {
		return nil, err
	}
	s := &redisServer{folder: folder, asked: make(chan *redisCall, redisCalls), sent: make(chan *redisCall, redisCalls)}
	port, err := freePort()
	if err == nil {
		s.run = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", folder, "--logfile", filepath.Join(folder, "log"),
			"--appendonly", "yes", "--appendfsync", "always", "--save", "")
		err = s.run.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	starting, cancel := context.WithTimeout(ctx, redisStart)
	defer cancel()
	if err := s.connect(starting, "127.0.0.1:"+port); err != nil {
		log, _ := os.ReadFile(filepath.Join(folder, "log"))
		s.stop()
		return nil, fmt.Errorf("redis-server does not answer: %w\n%s", err, log)
	}
	return s, nil
}

func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port, ln.Close()
}

// connect tries until ctx ends.
func (s *redisServer) connect(ctx context.Context, address string) (err error) {
	for s.conn == nil {
		if s.conn, err = net.Dial("tcp", address); err != nil {
			select {
			case <-ctx.Done():
				return err
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	go s.send()
	go s.receive()
	about, err := s.do("INFO", "server")
	_, version, _ := strings.Cut(about, "redis_version:")
	s.version, _, _ = strings.Cut(version, "\r\n")
	return err
}

func (s *redisServer) stop() {
	if s.conn != nil {
		s.conn.Close()
	}
	_ = s.run.Process.Kill()
	_ = s.run.Wait()
	os.RemoveAll(s.folder)
}

// do asks and waits for the answer.
func (s *redisServer) do(words ...string) (string, error) {
	c := &redisCall{words: words, done: make(chan struct{})}
	s.asked <- c
	<-c.done
	return c.answer, c.err
}

// send passes on what is asked, as much at once as there is.
func (s *redisServer) send() {
	out := bufio.NewWriterSize(s.conn, 64<<10)
	for c := range s.asked {
		fmt.Fprintf(out, "*%d\r\n", len(c.words))
		for _, word := range c.words {
			fmt.Fprintf(out, "$%d\r\n%s\r\n", len(word), word)
		}
		s.sent <- c
		if len(s.asked) == 0 {
			_ = out.Flush() // receive meets what is wrong
		}
	}
}

// receive gives the answers to whom they belong: they come in the order of what was asked.
func (s *redisServer) receive() {
	in := bufio.NewReaderSize(s.conn, 64<<10)
	for c := range s.sent {
		c.answer, c.err = redisAnswer(in)
		close(c.done)
	}
}

// redisAnswer reads an answer: a number, a line, a text, several of those, or an error.
func redisAnswer(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, rest := line[0], strings.TrimSuffix(line[1:], "\r\n")
	n, _ := strconv.Atoi(rest)
	switch {
	case kind == ':' || kind == '+':
		return rest, nil
	case kind == '$' && n >= 0:
		text := make([]byte, n+len("\r\n"))
		_, err := io.ReadFull(in, text)
		return string(text[:n]), err
	case kind == '*':
		parts := make([]string, n)
		for i := range parts {
			if parts[i], err = redisAnswer(in); err != nil {
				return "", err
			}
		}
		return strings.Join(parts, " "), nil
	}
	return "", fmt.Errorf("redis says: %s", rest)
}
