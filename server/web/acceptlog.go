package web

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// LogAccepts is a listener that logs when no connection can be accepted: everybody is shut out meanwhile.
func LogAccepts(ln net.Listener, log zerolog.Logger) net.Listener {
	return &acceptLog{Listener: ln, log: log}
}

// acceptLog is such a listener. net/http tries again by itself.
type acceptLog struct {
	net.Listener
	log zerolog.Logger

	mu     sync.Mutex
	logged time.Time
	failed int // since then
}

const acceptLogEvery = time.Minute

func (l *acceptLog) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if number, ok := errors.AsType[syscall.Errno](err); ok && number.Temporary() { // net/http goes on
		l.note(err)
	}
	return conn, err
}

func (l *acceptLog) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed++
	if !l.logged.IsZero() && time.Since(l.logged) < acceptLogEvery {
		return
	}
	line := l.log.Error().Err(err).Int("failed", l.failed)
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		line = line.Str("hint", "too many files are open; raise the limit, such as by LimitNOFILE in the systemd unit")
	}
	line.Msg("no connection can be accepted: everybody new is shut out")
	l.logged, l.failed = time.Now(), 0
}
