package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
)

// panels are open live feeds, all waiting for the same change.
type panels struct {
	feeds   []*client.Feed
	stalled []net.Conn // opened, and then never read

	changed atomic.Pointer[change]
	errors  atomic.Int64
}

// change is one change of the list, and when each panel saw it.
type change struct {
	page  string
	at    time.Time
	seen  sync.WaitGroup
	mu    sync.Mutex
	times []time.Duration
}

// openPanels follows the list n times, and stalled times more without reading.
func openPanels(ctx context.Context, target *subject, o options) (*panels, error) {
	p := &panels{}
	asked := client.New(target.URL, target.Key)
	for range o.panels {
		feed, err := asked.Live(ctx, nil)
		if err != nil {
			return nil, fmt.Errorf("following the list: %w", err)
		}
		p.feeds = append(p.feeds, feed)
	}
	for range o.stalled {
		conn, err := stall(target)
		if err != nil {
			return nil, err
		}
		p.stalled = append(p.stalled, conn)
	}
	for _, feed := range p.feeds { // all are being followed once each has its hello
		if _, err := feed.Next(ctx); err != nil {
			return nil, err
		}
	}
	for _, feed := range p.feeds {
		go p.read(ctx, feed)
	}
	return p, nil
}

// stall opens a feed with the smallest buffer there is, and reads nothing of it.
func stall(target *subject) (net.Conn, error) {
	u, err := url.Parse(target.URL)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	_ = conn.(*net.TCPConn).SetReadBuffer(1)
	_, err = fmt.Fprintf(conn, "GET /admin/users/online/live HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", u.Host, target.Key)
	return conn, err
}

func (p *panels) read(ctx context.Context, feed *client.Feed) {
	for {
		event, err := feed.Next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				p.errors.Add(1)
			}
			return
		}
		c := p.changed.Load()
		if c == nil || event.User == nil || event.User.Page != c.page {
			continue
		}
		took := time.Since(c.at)
		c.mu.Lock()
		c.times = append(c.times, took)
		c.mu.Unlock()
		c.seen.Done()
	}
}

// watchChanges turns somebody's page o.changes times a second, everybody's in
// turn, and measures until every panel has seen it, from before the heartbeat was sent.
func watchChanges(ctx context.Context, target *subject, p *panels, people *player, o options) (f figures) {
	asked := client.New(target.URL, "")
	start := time.Now()
	tick := time.NewTicker(time.Second / time.Duration(o.changes))
	defer tick.Stop()
	for n := 0; time.Since(start) < o.duration && ctx.Err() == nil; n++ {
		c := &change{page: "/page/" + strconv.Itoa(n), at: time.Now()}
		c.seen.Add(len(p.feeds))
		p.changed.Store(c)
		if _, err := asked.Heartbeat(ctx, people.token(), api.Heartbeat{Page: &c.page}); err != nil {
			f.fail(err)
			break
		}
		if !waitFor(&c.seen, 10*time.Second) {
			f.fail(errors.New("a panel did not see a change within 10 s"))
			break
		}
		f.times = append(f.times, c.times...)
		<-tick.C
	}
	f.took = time.Since(start)
	f.errors += int(p.errors.Load())
	return f
}

func waitFor(wg *sync.WaitGroup, limit time.Duration) bool {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(limit):
		return false
	}
}

// watch opens the panels and measures how soon they see changes, while the
// sessions beat at their rate, if there is one.
func watch(ctx context.Context, target *subject, o options) error {
	target.resetUse()
	before := target.memory()
	p, err := openPanels(ctx, target, o)
	if err != nil {
		return err
	}
	fmt.Printf("%-12s %d open, %d of them stalled; the server grew by %d MB\n", "panels", len(p.feeds)+len(p.stalled), len(p.stalled), target.memory()-before)
	turner := target.players[0]
	target.players = target.players[1:]
	beating, stop := context.WithCancel(ctx)
	beats := make(chan figures, 1)
	go func() {
		if o.rate == 0 {
			beats <- figures{}
			return
		}
		beats <- play(beating, target, turn{duration: o.duration, rate: o.rate})
	}()
	seen := watchChanges(ctx, target, p, turner, o)
	stop()
	if beat := <-beats; o.rate > 0 {
		beat.print("heartbeats")
	}
	err = showTurn("changes seen", seen)
	target.printUse()
	return err
}
