package cli

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"rollcall/store"
)

// supervisor is who started the server and wants to know how it is: systemd, by the protocol of
// sd_notify(3). It is a datagram a line, so a library would be no shorter.
type supervisor struct {
	socket   string        // "" where nobody wants to know
	watchdog time.Duration // without a sign of life for so long the server is killed; 0: never
}

// maxSilence is how old what the supervisor is told may be.
const maxSilence = 5 * time.Second

func supervisorOf(getenv func(string) string) supervisor {
	s := supervisor{socket: getenv("NOTIFY_SOCKET")}
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if pid := getenv("WATCHDOG_PID"); err == nil && usec > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		s.watchdog = time.Duration(usec) * time.Microsecond
	}
	return s
}

func (s supervisor) tell(news string) error {
	conn, err := net.Dial("unixgram", s.socket) // net takes the @ of an abstract socket as systemd means it
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte(news))
	return errors.Join(err, conn.Close())
}

// follow tells the supervisor that the server is up, and then how it is, until the caller calls
// done. To be called when the server listens and the store is open.
func (s supervisor) follow(ctx context.Context, opened *store.Store, now func() time.Time, log zerolog.Logger) (done func()) {
	if s.socket == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var told sync.WaitGroup
	report := func(news string) {
		if err := s.tell(news); err != nil {
			log.Warn().Err(err).Msg("telling the supervisor")
		}
	}
	told.Go(func() {
		<-ctx.Done()
		report("STOPPING=1")
	})
	told.Go(func() { s.pulse(ctx, opened, now, report) })
	return func() {
		cancel()
		told.Wait()
	}
}

// pulse reports while the server can do what it is for. A writer that is stuck, or has given up,
// ends it, and then the watchdog bites. Life is told before anything else is asked: a database
// that does not answer is no reason to kill the server.
func (s supervisor) pulse(ctx context.Context, opened *store.Store, now func() time.Time, report func(string)) {
	every := maxSilence
	if s.watchdog > 0 {
		every = min(every, s.watchdog/3)
	}
	beat := time.NewTicker(every)
	defer beat.Stop()
	news, status := "READY=1\n", ""
	for {
		if opened.DB().WriterAlive(ctx) == nil && ctx.Err() == nil {
			if news == "" && s.watchdog > 0 {
				report("WATCHDOG=1")
			}
			if now := statusLine(ctx, opened, now()); now != status && ctx.Err() == nil {
				report(news + "STATUS=" + now)
				news, status = "", now
			}
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			return
		}
	}
}

// statusWait is how long the database may take to say how many people are online.
const statusWait = 2 * time.Second

// statusLine is the line that systemctl status shows.
func statusLine(ctx context.Context, opened *store.Store, now time.Time) string {
	ctx, cancel := context.WithTimeout(ctx, statusWait)
	defer cancel()
	counts, err := opened.CountOnline(ctx, now)
	switch n := counts.People(); {
	case err != nil:
		return "the database does not answer"
	case n == 0:
		return "nobody online"
	default:
		return headcount(n) + " online"
	}
}
